"""Looks at a page in light and dark, on a telephone and on a desk; takes pictures of it where there is an album."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import FloatRect, Page

from tests.browser.person import Locale
from tests.browser.picture import shrink
from tests.browser.windows import Scheme

#: In CSS pixels: the narrowest that WCAG 1.4.10 asks for, and a desk's.
NARROW, WIDE = 320, 1200
#: How wide the pictures of the telephone are: as most are.
PICTURED = 360
#: What stands in a picture in place of the host that a test runs on.
SHOWN_HOST = "newsletter.example.com"
#: Where the picture of a long page is cut off, in pixels.
ENOUGH = 1400
#: Both widths in both languages. axe, which takes longest, is asked at the first alone: in both schemes and widths.
LOOKS: dict[Locale, tuple[tuple[Scheme, int], ...]] = {
    "de": (("light", WIDE), ("light", NARROW)),
    "en": (("dark", NARROW), ("dark", WIDE)),
}
#: All looks at a page in one language, for the album; axe is asked at each.
EVERY_LOOK: tuple[tuple[Scheme, int], ...] = tuple(
    (scheme, width) for width in (WIDE, NARROW) for scheme in get_args(Scheme)
)

# The size of what is to be touched is asked for by WCAG 2.2, and only on demand by axe.
RULES = {"target-size": {"enabled": True}}
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


@dataclass(frozen=True)
class Camera:
    """Looks at what a window shows; where `album` is a folder, pictures are put there."""

    page: Page
    locale: Locale
    home: str
    album: Path | None = None

    def name_host(self) -> None:
        """Put a company's host into the page in place of this machine's, which no two pictures would share."""
        self.page.evaluate(_RENAME, [self.home, f"https://{SHOWN_HOST}"])
        self.page.evaluate(_RENAME, ["localhost", SHOWN_HOST])

    def look(
        self, name: str, rules: Mapping[str, Any] = RULES, *, is_pictured: bool = True
    ) -> Iterator[Look]:
        """Look at the page; in each width and scheme where there is an album."""
        page = self.page
        # Without preload axe puts no style sheet of its own beside the preview's, which the policy would block.
        options = {"resultTypes": ["violations"], "rules": rules, "preload": False}
        page.wait_for_load_state()
        page.evaluate(AXE_SCRIPT)
        looks = EVERY_LOOK if self.album else LOOKS[self.locale]
        inspected = looks if self.album else looks[:1]
        for scheme, width in looks:
            page.set_viewport_size({"width": width, "height": 640})
            page.emulate_media(color_scheme=scheme)
            barriers = self._barriers(options) if (scheme, width) in inspected else ""
            yield Look(name, scheme, width, barriers, _overhang(page), page.evaluate(_TORN))
            if self.album is not None and is_pictured:
                self._keep(self.album, name, scheme, width)

    def _barriers(self, options: Mapping[str, Any]) -> str:
        """What axe finds, "" for nothing."""
        found = AxeResults(self.page.evaluate(_RUN, options))
        return found.generate_report() if found.violations_count else ""

    def _keep(self, album: Path, name: str, scheme: Scheme, width: int) -> None:
        """Take a picture."""
        width = PICTURED if width == NARROW else width
        self.page.set_viewport_size({"width": width, "height": 640})
        height = min(int(self.page.evaluate("document.documentElement.scrollHeight")), ENOUGH)
        clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": height}
        picture = self.page.screenshot(full_page=True, clip=clip)
        (album / f"{name}.{self.locale}.{scheme}.{width}.png").write_bytes(shrink(picture))


def barriers_in(looks: Sequence[Look]) -> list[str]:
    return [
        f"{look.page}, {look.scheme}, {look.width}: {look.barriers}"
        for look in looks
        if look.barriers
    ]


def overhangs_in(looks: Sequence[Look]) -> dict[str, int]:
    """The pages that are wider than a telephone, and by how many CSS pixels."""
    return {
        look.page: look.overhang for look in looks if look.width == NARROW and look.overhang > 0
    }


def torn_in(looks: Sequence[Look]) -> dict[str, list[str]]:
    """The pages with a headline that is torn at a hyphen."""
    return {look.page: look.torn for look in looks if look.torn}


def _overhang(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
