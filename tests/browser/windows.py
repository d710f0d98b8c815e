"""Windows of a browser, each with a new and empty profile, and each watched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from playwright.sync_api import Browser, Page, expect

from tests.browser.watch import Watch, origin_of
from tests.patience import PATIENCE

PATIENCE_MILLISECONDS = PATIENCE * 1000  #: for one step of a browser
expect.set_options(timeout=PATIENCE_MILLISECONDS)

Scheme = Literal["light", "dark"]


class Open(Protocol):
    """Open a new window; `also` are origins that its pages may speak to besides the service's."""

    def __call__(
        self,
        *,
        javascript: bool = True,
        locale: str = "de",
        also: tuple[str, ...] = (),
    ) -> Page: ...


@contextmanager
def windows(browser: Browser, home: str) -> Iterator[Open]:
    """Open windows on the service at `home`; AssertionError if one has done what no page of ours does."""
    watches: list[Watch] = []

    def open_window(
        *,
        javascript: bool = True,
        locale: str = "de",
        also: tuple[str, ...] = (),
    ) -> Page:
        context = browser.new_context(
            base_url=home,
            java_script_enabled=javascript,
            locale=locale,
            viewport={"width": 1100, "height": 800},
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        watches.append(Watch(context, frozenset({origin_of(home), *also})))
        return context.new_page()

    yield open_window
    seen = [note for watch in watches for note in watch.look()]
    for watch in watches:
        watch.context.close()
    assert seen == [], seen
