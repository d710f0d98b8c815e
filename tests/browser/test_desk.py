"""The pages of the desk keep nobody out; with SCREENSHOTS set to a folder, pictures of them are put there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.browser.camera import Camera, Look, barriers_in, overhangs_in, torn_in
from tests.browser.desk_gallery import DeskGallery
from tests.browser.person import Locale
from tests.browser.windows import PATIENCE_MILLISECONDS
from tests.journeys.service import Service, wait_until
from tests.people import STAFF_TOKEN


@pytest.fixture(scope="module", params=["de", "en"])
def looks(
    request: pytest.FixtureRequest,
    browser: Browser,
    service: Service,
    mailbox: Mailbox,
    mailchimp: StandIn,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Look]:
    """All pages in one language; what they say on the console fails the tests."""
    album = os.environ.get("SCREENSHOTS")
    context = browser.new_context(locale=request.param, base_url=service.home)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # A form that is refused answers with a status of its own.
        if "server responded with a status of 4" not in message.text:
            said.append(message.text)

    context.on("console", hear)
    locale: Locale = request.param
    camera = Camera(context.new_page(), locale, service.home, Path(album) if album else None)
    folder = tmp_path_factory.mktemp("lists")
    found = list(DeskGallery(camera, service, mailbox, mailchimp, folder).walk())
    context.close()
    assert said == []
    return found


@pytest.mark.requires("R77")
def test_nothing_on_any_page_of_the_desk_keeps_anybody_out(looks: list[Look]) -> None:
    assert barriers_in(looks) == []


def test_no_page_of_the_desk_is_wider_than_a_telephone(looks: list[Look]) -> None:
    assert overhangs_in(looks) == {}


def test_no_headline_of_the_desk_is_torn_at_a_hyphen(looks: list[Look]) -> None:
    assert torn_in(looks) == {}


@pytest.mark.requires("R77")
def test_the_desk_is_entered_by_keyboard_alone(browser: Browser, service: Service) -> None:
    page = browser.new_page(base_url=service.home)
    page.goto("/desk/sign-in")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.id") != "token":
        page.keyboard.press("Tab")
    page.keyboard.type(STAFF_TOKEN)
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{service.home}/desk")
    page.close()


def test_staff_mend_what_went_wrong_without_a_terminal(
    browser: Browser, service: Service, mailbox: Mailbox, address: str
) -> None:
    """A letter that waits is tried now and given up; then all is done for the person that staff can do."""
    mailbox.answer_next("rcpt", "451 4.7.1 Greylisted", 20, match_recipient=address)
    service.sign_up(address)
    staff = Staff(browser.new_page(base_url=service.home, locale="de"))
    staff.sign_in()
    staff.finds(address)
    person, reference = staff.page.url, staff.page.locator("dd.reference").inner_text()
    wait_until(lambda: staff.sees_waiting(reference), "the letter waits")

    staff.presses(f"Jetzt versuchen: {reference}")
    staff.reads("Es wird sofort versucht.")
    # While it is just being sent, it is not given up.
    wait_until(lambda: staff.gives_up(reference), "the letter is given up")

    staff.page.goto(person)
    for act, said in STEPS:
        staff.page.get_by_role("link", name=act, exact=True).click()
        if act == "Adresse berichtigen":
            staff.page.fill("#new_email", f"new.{address}")
        if act == "Sperren":
            staff.page.check("#reason-staff")
        staff.presses(act)
        staff.reads(said)
    staff.page.close()


STEPS = (
    ("Adresse berichtigen", "Wer die neue Adresse hat, wird per E-Mail gefragt"),
    ("Einschränken", "Eingeschränkt:"),
    ("Einschränkung beenden", "Einschränkung beendet:"),
    ("Sperren", "Gesperrt."),
    ("Sperre aufheben", "Sperre aufgehoben:"),
)


@dataclass
class Staff:
    """Somebody at the desk, in German."""

    page: Page

    def sign_in(self) -> None:
        self.page.goto("/desk/sign-in")
        self.page.fill("#token", STAFF_TOKEN)
        self.presses("Anmelden")

    def finds(self, who: str) -> None:
        self.page.goto("/desk/people")
        self.page.fill("#who", who)
        self.presses("Suchen")

    def presses(self, button: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button, exact=True).click()

    def reads(self, said: str) -> None:
        expect(self.page.get_by_role("status")).to_contain_text(said)

    def sees_waiting(self, reference: str) -> bool:
        self.page.goto("/desk/waiting")
        return self.page.get_by_role("button", name=f"Aufgeben: {reference}").count() == 1

    def gives_up(self, reference: str) -> bool:
        if self.sees_waiting(reference):
            self.presses(f"Aufgeben: {reference}")
        return self.page.get_by_text("Die E-Mail wird nicht mehr gesendet.").count() == 1
