"""Every page that people see, looked at in light and dark, on a telephone and on a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import FloatRect, Page

from tests.browser.person import Locale, Person
from tests.browser.picture import shrink
from tests.people import STAFF

#: In CSS pixels: the narrowest that WCAG 1.4.10 asks for, and a desk's.
NARROW, WIDE = 320, 1200
#: How wide the pictures of the telephone are: as most are.
PICTURED = 360
#: What stands in a picture in place of the host that a test runs on.
SHOWN_HOST = "newsletter.example.com"
#: Of which pages no picture is taken, as another shows the same.
ALIKE = frozenset(
    {
        *("already", "nowhere", "problems"),
        *("my-data-blocked", "my-data-erase-blocked", "my-data-error", "my-data-inbox"),
        *("my-data-letter", "confirmed-unfolded", "my-data-unfolded"),
    }
)
#: Where the picture of a long page is cut off, in pixels.
ENOUGH = 1000

Scheme = Literal["light", "dark"]
#: Four looks at each page: both schemes at both widths, and both widths in both languages.
LOOKS: dict[Locale, tuple[tuple[Scheme, int], ...]] = {
    "de": (("light", WIDE), ("dark", NARROW)),
    "en": (("dark", WIDE), ("light", NARROW)),
}

# The size of what is to be touched is asked for by WCAG 2.2, and only on demand by axe.
_RULES = {"target-size": {"enabled": True}}
# A letter has the words of its plain twin and no others; its heading is the subject.
_RULES_OF_LETTERS = {**_RULES, "page-has-heading-one": {"enabled": False}}
# A hyphen whose next letter stands in another line.
_TORN = """() => [...document.querySelectorAll("h1, h2, h3")].filter((headline) =>
  [...headline.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).some((node) =>
    [...node.data.matchAll(/-(?=\\S)/g)].some(({ index }) => {
      const range = new Range();
      const [hyphen, next] = [index, index + 1].map((start) => {
        range.setStart(node, start);
        range.setEnd(node, start + 1);
        return range.getBoundingClientRect();
      });
      return next.top > hyphen.top + 1;
    }),
  ),
).map((headline) => headline.innerText)"""
_RENAME = """([from, to]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(from, to);
}"""
_RUN = "options => axe.run(document, options).then(({violations}) => ({violations}))"


@dataclass(frozen=True)
class Look:
    """What was found on one page at one look."""

    page: str
    scheme: Scheme
    width: int
    barriers: str  #: what axe found, "" for nothing
    overhang: int  #: how many CSS pixels the page is wider than the window
    torn: list[str]  #: headlines of which a line ends with a hyphen


@dataclass
class Gallery:
    """Goes through all pages with one person; where `album` is a folder, pictures are put there."""

    person: Person
    home: str
    link_to_data: Callable[[str], str]  #: what a letter would bring, by reference
    pause: Callable[[], None]  #: has it be long ago that anybody was written to
    way_back: str  #: the HTML twin of a letter that nobody of these people gets
    album: Path | None = None
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
        self._name_host()
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
        self._name_host()
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
        self._name_host()
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
        self._name_host()
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
            self._name_host()
            yield from self._look(name)

    def _name_host(self) -> None:
        """Put a company's host into the page in place of this machine's, which no two pictures would share."""
        self.person.page.evaluate(_RENAME, [self.home, f"https://{SHOWN_HOST}"])
        self.person.page.evaluate(_RENAME, ["localhost", SHOWN_HOST])

    def _look(self, name: str) -> Iterator[Look]:
        page = self.person.page
        rules = _RULES_OF_LETTERS if name.endswith("letter") else _RULES
        # Without preload axe puts no style sheet of its own beside the preview's, which the policy would block.
        options = {"resultTypes": ["violations"], "rules": rules, "preload": False}
        page.wait_for_load_state()
        page.evaluate(AXE_SCRIPT)
        for scheme, width in LOOKS[self.person.locale]:
            page.set_viewport_size({"width": width, "height": 640})
            page.emulate_media(color_scheme=scheme)
            found = AxeResults(page.evaluate(_RUN, options))
            barriers = found.generate_report() if found.violations_count else ""
            yield Look(name, scheme, width, barriers, _overhang(page), page.evaluate(_TORN))
            self._keep(name, scheme, width)

    def _keep(self, name: str, scheme: Scheme, width: int) -> None:
        """Take a picture."""
        if self.album is None or name in ALIKE:
            return
        width = PICTURED if width == NARROW else width
        self.person.page.set_viewport_size({"width": width, "height": 640})
        height = int(self.person.page.evaluate("document.documentElement.scrollHeight"))
        if name in ("embed", "proof"):
            height = min(height, ENOUGH)
        clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": height}
        picture = self.person.page.screenshot(full_page=True, clip=clip)
        path = self.album / f"{name}.{self.person.locale}.{scheme}.{width}.png"
        path.write_bytes(shrink(picture))


def _overhang(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
