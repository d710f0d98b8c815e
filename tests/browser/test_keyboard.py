"""The whole way with a keyboard alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page

from sandbox.mailbox import Mailbox
from tests.browser.conftest import LinkToData
from tests.browser.person import LETTER_URL, Locale, Person, in_german
from tests.browser.watch import origin_of
from tests.browser.windows import Open

_FOCUSED = """() => {
  const focused = document.activeElement, style = getComputedStyle(focused);
  return {
    name: focused.outerHTML,
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
  };
}"""
_REACHABLE = """() => [...document.querySelectorAll("a[href], button, summary, input:not([type=hidden])")]
  .filter((each) => !each.closest("[aria-hidden]"))
  .filter((each) => each.matches("summary") || !each.closest("details:not([open])"))
  .map((each) => each.outerHTML)"""


@dataclass(frozen=True)
class Stop:
    """Where the keyboard stands: an element, and how wide it is outlined, in CSS pixels."""

    name: str
    outline: float


@pytest.fixture
def person(open_window: Open, mailbox: Mailbox, address: str, locale: Locale) -> Person:
    page = open_window(locale=locale, also=(origin_of(LETTER_URL),))
    return Person(page, mailbox, address, locale)


def stops(page: Page) -> list[Stop]:
    """Where Tab leads on a page, from its beginning to its end."""
    there: list[Stop] = []
    while True:
        page.keyboard.press("Tab")
        focused: dict[str, Any] = page.evaluate(_FOCUSED)
        if focused["name"].startswith(("<body", "<html")) or len(there) > 50:
            return there
        there.append(Stop(**focused))


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(50):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")


@pytest.fixture(params=["form", "confirm", "not-me", "unsubscribe", "my-data", "my-data-erase"])
def page(request: pytest.FixtureRequest, person: Person, link_to_data: LinkToData) -> Page:
    """Each page on which there is something to do."""
    if request.param == "form":
        person.page.goto("/")
    elif request.param == "unsubscribe":
        person.gets_letter()
        person.confirms()
        person.unfolds()
        person.page.get_by_role("link", name=person.words.leave).click()
    elif request.param.startswith("my-data"):
        person.gets_letter()
        person.confirms()
        person.page.goto(link_to_data(person.reference()))
        if request.param.endswith("erase"):
            person.page.get_by_role("link", name=person.words.on_to_erasing).click()
    else:
        person.gets_letter()
        person.page.goto(person.path_to(request.param))
    person.page.wait_for_load_state()
    return person.page


@pytest.mark.requires("R77")
@in_german
def test_tab_leads_to_everything_once_in_the_order_of_reading_and_shows_where_it_is(
    page: Page,
) -> None:
    there = stops(page)

    assert [stop.name for stop in there] == page.evaluate(_REACHABLE)
    assert [stop for stop in there if stop.outline < 2] == []


@pytest.mark.requires("R77")
def test_a_person_signs_up_and_confirms_without_a_mouse(person: Person) -> None:
    page = person.page
    page.goto("/")
    tab_to(page, "#email")
    page.keyboard.type(person.address)
    page.keyboard.press("Enter")
    person.reads(person.words.inbox)
    person.awaits_letter()

    person.opens_letter()
    tab_to(page, 'a[href*="/confirm/"]')
    page.keyboard.press("Enter")
    person.reads(person.words.to_confirm)
    tab_to(page, "button")
    page.keyboard.press("Enter")

    person.reads(person.words.confirmed)
