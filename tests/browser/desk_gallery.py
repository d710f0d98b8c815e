"""Every page of the desk, looked at one by one, about people of whom each is in a trouble of their own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, expect

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.browser.camera import Camera, Look
from tests.journeys.service import Service, wait_until
from tests.people import STAFF_TOKEN, link_in

# What is repeated for each sentence, and would cost axe a minute: a few of them stand for all.
_LEAVE_SOME = "document.querySelectorAll('main > ul.cards > li:nth-child(n + 9)').forEach((each) => each.remove())"


@dataclass
class DeskGallery:
    """Goes through all pages of the desk."""

    camera: Camera
    service: Service
    mailbox: Mailbox
    mailchimp: StandIn
    folder: Path  #: for files to be brought
    suffix: str = field(default_factory=lambda: uuid.uuid4().hex[:4])

    def walk(self) -> Iterator[Look]:
        """Look at one page after the other."""
        yield from self._signing_in()
        self._make_trouble()
        yield from self._at("desk-today", "")
        yield from self._at("desk-waiting", "/waiting")
        yield from self._finding()
        yield from self._person()
        yield from self._known_to_mailchimp_only()
        yield from self._erasing()
        yield from self._texts()
        yield from self._list()

    @property
    def _page(self) -> Page:
        return self.camera.page

    def _named(self, name: str) -> str:
        return f"{name}.{self.suffix}@example.org"

    def _signing_in(self) -> Iterator[Look]:
        self._page.goto("/desk/sign-in")
        yield from self.camera.look("desk-sign-in")
        self._enter("#token", "mistyped")
        yield from self.camera.look("desk-sign-in-error")
        self._enter("#token", STAFF_TOKEN)
        self._page.wait_for_url("**/desk")

    def _make_trouble(self) -> None:
        """One confirms, one is refused by Mailchimp, one letter bounces, and one has to wait."""
        bounced, full, refused = map(self._named, ("bert", "carla", "emil"))
        self.mailbox.answer_next("rcpt", "550 5.1.1 No such user here", match_recipient=bounced)
        self.mailbox.answer_next("rcpt", "451 4.7.1 Greylisted", 9, match_recipient=full)
        self.mailchimp.add(refused)
        self.mailchimp.is_deleted(refused)
        for name in ("anna", "bert", "carla", "emil"):
            self.service.sign_up(self._named(name))
        for name in ("anna", "emil"):
            self._confirm(self._named(name))
        self._wait_for("anna", "synced")
        self._wait_for("bert", "mail_failed")
        self._wait_for("emil", "sync_failed")

    def _confirm(self, address: str) -> None:
        self.mailbox.wait_for(lambda: self.mailbox.letters_to(address))
        self.service.press(link_in(self.mailbox.letters_to(address)[-1].message))

    def _wait_for(self, name: str, event: str) -> None:
        wait_until(lambda: event in self.service.events_of(self._named(name)), event)

    def _finding(self) -> Iterator[Look]:
        yield from self._at("desk-find", "/people")
        self._enter("#who", "anna@")
        yield from self.camera.look("desk-find-error")
        for name, picture in (("emil", "desk-person-refused"), ("bert", "desk-person-bounced")):
            self._find(self._named(name))
            yield from self.camera.look(picture)

    def _person(self) -> Iterator[Look]:
        self._find(self._named("anna"))
        person = self._page.url.partition("?")[0].removeprefix(f"{self.service.home}/desk")
        yield from self.camera.look("desk-person")
        yield from self._at("desk-access", f"{person}/access")
        yield from self._at("desk-proof", f"{person}/proof", is_pictured=False)
        for act in ("correct", "restrict"):
            yield from self._at(f"desk-{act}", f"{person}/{act}")
        self._enter("#new_email", "anna@localhost", at=f"{person}/correct")
        yield from self.camera.look("desk-correct-error", is_pictured=False)
        yield from self._at("desk-block", f"{person}/block")
        self._press()
        yield from self.camera.look("desk-blocked", is_pictured=False)
        yield from self._at("desk-unblock", f"{person}/unblock")
        yield from self._at("desk-erase", f"{person}/erase")

    def _known_to_mailchimp_only(self) -> Iterator[Look]:
        self._find(self._named("nobody"))
        self._reload_until(lambda: self._page.locator("a.button").count() == 1)
        yield from self.camera.look("desk-unknown")
        self.mailchimp.add(self._named("fritz"))
        self._find(self._named("fritz"))
        self._reload_until(lambda: self._page.locator('a[href$="/erase"]').count() == 1)
        yield from self.camera.look("desk-known-to-mailchimp")
        self._page.locator('a[href$="/erase"]').click()
        yield from self.camera.look("desk-erase-at-mailchimp")

    def _erasing(self) -> Iterator[Look]:
        self._find(self._named("anna"))
        self._page.locator('a[href$="/erase"]').click()
        self._press()
        yield from self.camera.look("desk-erasure")
        yield from self._at("desk-erasures", "/erasures")

    def _texts(self) -> Iterator[Look]:
        yield from self._at("desk-consent-texts", "/consent-texts")
        text = self._page.locator("main h2").first.text_content()
        yield from self._at("desk-withdraw", f"/consent-texts/{text}/withdraw")
        self._page.goto("/desk/texts")
        self._page.evaluate(_LEAVE_SOME)
        yield from self.camera.look("desk-texts")

    def _list(self) -> Iterator[Look]:
        list_ = self.folder / "list.csv"
        list_.write_text(f"email,confirmed_at\n{self._named('gerda')},2020-05-01\nnobody,\n")
        yield from self._at("desk-import", "/import")
        for picture in ("desk-import-tried", "desk-import-taken"):
            self._page.set_input_files("#file", list_)
            self._press()
            yield from self.camera.look(picture)

    def _at(self, name: str, path: str, *, is_pictured: bool = True) -> Iterator[Look]:
        self._page.goto(f"/desk{path}")
        yield from self.camera.look(name, is_pictured=is_pictured)

    def _find(self, who: str) -> None:
        self._enter("#who", who, at="/people")
        expect(self._page.locator("h1")).to_have_text(who)

    def _enter(self, field: str, value: str, *, at: str | None = None) -> None:
        if at is not None:
            self._page.goto(f"/desk{at}")
        self._page.fill(field, value)
        self._press()

    def _press(self) -> None:
        with self._page.expect_navigation():
            self._page.locator("main button[type=submit]").last.click()

    def _reload_until(self, holds: Callable[[], bool]) -> None:
        """Look again, as staff do, until the worker has answered."""

        def reloaded() -> bool:
            self._page.reload()
            return holds()

        wait_until(reloaded, self._page.url.rpartition("/")[0])
