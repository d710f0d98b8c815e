"""Somebody with a browser and an inbox, and the words they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import Page, Route, expect

from sandbox.mailbox import Mailbox
from tests.people import link_in

Locale = Literal["de", "en"]

#: For what another language would make slower and tell nothing new about.
in_german = pytest.mark.parametrize("locale", ["de"], indirect=True)

#: Where a person reads letters: another site, as a webmailer is. Nothing is asked of it over the network.
LETTER_URL = "https://mail.example.com/letter"


@dataclass(frozen=True)
class Words:
    """What is to be pressed, and the headings that answer."""

    sign_up: str
    inbox: str
    to_confirm: str
    confirm: str
    confirmed: str
    already: str
    leave: str
    leave_now: str
    left: str
    not_me: str
    forget: str
    forgotten: str
    outdated: str
    unknown: str
    my_data: str
    ask_for_data: str
    on_to_erasing: str
    back_to_data: str
    erase_all: str
    erased: str


WORDS: dict[Locale, Words] = {
    "de": Words(
        sign_up="Newsletter abonnieren",
        inbox="Bitte prüfen Sie Ihr Postfach",
        to_confirm="Bitte bestätigen Sie Ihre Anmeldung",
        confirm="Anmeldung bestätigen",
        confirmed="Anmeldung bestätigt",
        already="Bereits bestätigt",
        leave="Vom Newsletter abmelden",
        leave_now="Jetzt abmelden",
        left="Sie sind abgemeldet",
        not_me="Das war ich nicht",
        forget="Anmeldung löschen",
        forgotten="Die Anmeldung wurde gelöscht",
        outdated="Dieser Link ist nicht mehr gültig",
        unknown="Link nicht gefunden",
        my_data="Meine Daten",
        ask_for_data="Link anfordern",
        on_to_erasing="Weiter zum Löschen",
        back_to_data="Zurück, ohne etwas zu löschen",
        erase_all="Endgültig alles löschen",
        erased="Ihre Daten werden gelöscht",
    ),
    "en": Words(
        sign_up="Subscribe",
        inbox="Please check your inbox",
        to_confirm="Confirm your newsletter request",
        confirm="Confirm",
        confirmed="You’re subscribed",
        already="Already confirmed",
        leave="Unsubscribe from the newsletter",
        leave_now="Unsubscribe now",
        left="You are unsubscribed",
        not_me="This was not me",
        forget="Delete request",
        forgotten="The request has been deleted",
        outdated="This link is no longer valid",
        unknown="Link not found",
        my_data="My data",
        ask_for_data="Request a link",
        on_to_erasing="Continue to deletion",
        back_to_data="Back, without deleting anything",
        erase_all="Delete everything permanently",
        erased="Your data is being deleted",
    ),
}


@dataclass
class Person:
    """One person in one window; what they do, in the product's words."""

    page: Page
    mailbox: Mailbox
    address: str
    locale: Locale
    letters: int = 0

    @property
    def words(self) -> Words:
        return WORDS[self.locale]

    def signs_up(self, address: str | None = None) -> None:
        """Fill in the form and send it."""
        self.page.goto("/")
        self.page.locator("#email").fill(address or self.address)
        self.presses(self.words.sign_up)

    def awaits_letter(self) -> None:
        """Wait for one more letter than there was."""
        self.letters += 1
        self.mailbox.wait_for(lambda: len(self.mailbox.letters_to(self.address)) >= self.letters)

    def opens_letter(self, twin: str | None = None) -> None:
        """Look at the newest letter, or at a given HTML twin, as a mail program shows it."""

        def show(route: Route) -> None:
            page = self.letter_page() if twin is None else twin
            route.fulfill(body=page, content_type="text/html; charset=utf-8")

        self.page.unroute(LETTER_URL)
        self.page.route(LETTER_URL, show)
        self.page.goto(LETTER_URL)

    def follows(self, purpose: str) -> None:
        """Click on the letter's link for one purpose."""
        self.page.locator(f'a[href*="/{purpose}/"]').first.click()

    def presses(self, button: str) -> None:
        """Press the one button that is called so."""
        self.page.get_by_role("button", name=button, exact=True).click()

    def reads(self, heading: str) -> None:
        """See a page with this heading, in the language asked for."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(self.page.locator("html")).to_have_attribute("lang", self.locale)

    def gets_letter(self) -> None:
        """Sign up as far as the letter."""
        self.signs_up()
        self.reads(self.words.inbox)
        self.awaits_letter()

    def asks_for_data(self, address: str | None = None) -> None:
        """Have a link to one's own data sent."""
        self.page.goto("/my-data")
        self.page.locator("#email").fill(address or self.address)
        self.presses(self.words.ask_for_data)

    def confirms(self) -> None:
        """Go from the letter to the success page."""
        self.opens_letter()
        self.follows("confirm")
        self.reads(self.words.to_confirm)
        self.presses(self.words.confirm)
        self.reads(self.words.confirmed)

    def reference(self) -> str:
        """The reference number on the page that is open."""
        return self.page.locator(".reference").text_content() or ""

    def unfolds(self) -> None:
        """See what the page folds."""
        self.page.locator("summary").click()

    def leaves(self) -> None:
        """Go from the success page to the end of the newsletter."""
        self.unfolds()
        self.page.get_by_role("link", name=self.words.leave).click()
        self.reads(self.words.leave)
        self.presses(self.words.leave_now)
        self.reads(self.words.left)

    def path_to(self, purpose: str) -> str:
        """The path of the newest letter's link for one purpose."""
        return link_in(self.mailbox.letters_to(self.address)[-1].message, purpose)

    def letter_page(self) -> str:
        """The newest letter's HTML twin."""
        twin = self.mailbox.letters_to(self.address)[-1].message.get_body(("html",))
        assert twin is not None
        return str(twin.get_content())
