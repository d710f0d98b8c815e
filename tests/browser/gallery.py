"""Every page that people see, looked at one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.browser.camera import RULES, Camera, Look
from tests.browser.person import Person
from tests.people import STAFF

#: Of which pages no picture is taken, as another shows the same.
ALIKE = frozenset(
    {
        *("already", "nowhere", "problems"),
        *("my-data-blocked", "my-data-erase-blocked", "my-data-error", "my-data-inbox"),
        *("my-data-letter", "confirmed-unfolded", "my-data-unfolded"),
    }
)
# A letter has the words of its plain twin and no others; its heading is the subject.
_RULES_OF_LETTERS = {**RULES, "page-has-heading-one": {"enabled": False}}


@dataclass
class Gallery:
    """Goes through all pages with one person."""

    person: Person
    camera: Camera
    link_to_data: Callable[[str], str]  #: what a letter would bring, by reference
    pause: Callable[[], None]  #: has it be long ago that anybody was written to
    way_back: str  #: the HTML twin of a letter that nobody of these people gets
    reference: str = ""

    def walk(self) -> Iterator[Look]:
        """Look at one page after the other."""
        yield from self._request()
        yield from self._confirmation()
        yield from self._unsubscribing()
        yield from self._asking_for_data()
        yield from self._disowning()
        yield from self._erasing()
        yield from self._others()

    def _request(self) -> Iterator[Look]:
        person = self.person
        person.page.goto("/")
        yield from self._look("form")
        person.signs_up("ada@localhost")
        yield from self._look("form-error")
        person.gets_letter()
        yield from self._look("inbox")
        person.opens_letter()
        self.camera.name_host()
        yield from self._look("letter")
        person.opens_letter(self.way_back)
        yield from self._look("way-back-letter")

    def _confirmation(self) -> Iterator[Look]:
        person = self.person
        person.opens_letter()
        person.follows("confirm")
        yield from self._look("confirm")
        person.presses(person.words.confirm)
        yield from self._look("confirmed")
        person.unfolds()
        yield from self._look("confirmed-unfolded")
        self.reference = person.reference()
        confirmed = person.page.locator('a[href*="/unsubscribe/"]').get_attribute("href")
        yield from self._proof()
        person.page.goto(self.link_to_data(self.reference))
        person.reads(person.words.my_data)
        self.camera.name_host()
        yield from self._look("my-data")
        person.unfolds()
        yield from self._look("my-data-unfolded")
        person.page.goto(self.link_to_data(self.reference))
        person.page.get_by_role("link", name=person.words.on_to_erasing).click()
        yield from self._look("my-data-erase")
        person.page.goto(person.path_to("not-me"))
        yield from self._look("not-me-confirmed")
        person.page.goto(person.path_to("confirm"))
        yield from self._look("already")
        person.page.goto(confirmed or "")

    def _proof(self) -> Iterator[Look]:
        """What staff see of the consent."""
        page = self.person.page
        page.set_extra_http_headers(STAFF)
        page.goto(f"/admin/proofs/{self.reference}?locale={self.person.locale}")
        self.camera.name_host()
        yield from self._look("proof")
        page.set_extra_http_headers({})

    def _unsubscribing(self) -> Iterator[Look]:
        person = self.person
        yield from self._look("unsubscribe")
        person.presses(person.words.leave_now)
        yield from self._look("unsubscribed")
        person.page.goto(person.path_to("confirm"))
        yield from self._look("outdated")

    def _disowning(self) -> Iterator[Look]:
        person = self.person
        person.gets_letter()
        person.page.goto(person.path_to("not-me"))
        yield from self._look("not-me")
        person.page.get_by_role("checkbox").check()
        person.presses(person.words.forget)
        yield from self._look("forgotten")

    def _erasing(self) -> Iterator[Look]:
        """With the block kept, so that there is something left to ask for."""
        person = self.person
        person.page.goto(self.link_to_data(self.reference))
        yield from self._look("my-data-blocked")
        person.page.get_by_role("link", name=person.words.on_to_erasing).click()
        yield from self._look("my-data-erase-blocked")
        person.page.get_by_role("checkbox").check()
        person.presses(person.words.erase_all)
        person.reads(person.words.erased)
        yield from self._look("my-data-erased")
        person.page.goto("/my-data")
        yield from self._look("my-data-form")
        person.asks_for_data("ada@localhost")
        yield from self._look("my-data-error")

    def _asking_for_data(self) -> Iterator[Look]:
        """Somebody who was written to just now, or is blocked for good, would get no letter."""
        person = self.person
        self.pause()
        person.asks_for_data()
        person.reads(person.words.inbox)
        yield from self._look("my-data-inbox")
        person.awaits_letter()
        person.opens_letter()
        self.camera.name_host()
        yield from self._look("my-data-letter")
        person.opens_letter()
        person.follows("my-data")
        person.reads(person.words.my_data)

    def _others(self) -> Iterator[Look]:
        pages = {
            "problem": ("/confirm/made-up", 404),
            "nowhere": ("/nowhere", 404),
            "problems": ("/problems", 200),
            "embed": ("/embed", 200),
        }
        for name, (path, status) in pages.items():
            answer = self.person.page.goto(f"{path}?locale={self.person.locale}")
            assert answer is not None
            assert answer.status == status, path
            self.camera.name_host()
            yield from self._look(name)

    def _look(self, name: str) -> Iterator[Look]:
        rules = _RULES_OF_LETTERS if name.endswith("letter") else RULES
        yield from self.camera.look(name, rules, is_pictured=name not in ALIKE)
