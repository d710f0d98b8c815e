"""Mail scanners open every link before its owner does, and some run scripts: that confirms and ends nothing."""

from __future__ import annotations

import re
from html import unescape

import pytest
from playwright.sync_api import Page

from tests.browser.person import Person, in_german
from tests.browser.windows import Open
from tests.journeys.service import Service

_LINK = re.compile(r'(?:href|src)="([^"]+)"')


def opens_and_waits(page: Page, path: str) -> None:
    """Open a page as a scanner does that runs scripts, and press nothing."""
    page.goto(path, wait_until="networkidle")


def fetches_everything(page: Page, home: str, html: str) -> set[str]:
    """Fetch by HEAD and GET whatever is linked on a page, and on the pages behind; the paths fetched."""
    waiting, fetched = set(_own_links(home, html)), set()
    while waiting:
        path = waiting.pop()
        fetched.add(path)
        page.request.head(path)
        answer = page.request.get(path)
        if "html" in answer.headers["content-type"]:
            waiting |= set(_own_links(home, answer.text())) - fetched
    return {path.split("/")[1] for path in fetched}


def _own_links(home: str, html: str) -> list[str]:
    links = [unescape(link).removeprefix(home) for link in _LINK.findall(html)]
    return [link for link in links if link.startswith("/")]


@pytest.mark.requires("R12", "R44")
@in_german
def test_a_scanner_that_runs_scripts_confirms_nothing_and_the_person_does(
    person: Person, open_window: Open, service: Service
) -> None:
    person.gets_letter()
    scanner = open_window(javascript=True)
    opens_and_waits(scanner, person.path_to("confirm"))
    opens_and_waits(scanner, person.path_to("not-me"))
    assert service.status_of(person.address) == "pending"

    person.confirms()

    assert service.status_of(person.address) == "confirmed"


@pytest.mark.requires("R44")
@in_german
def test_a_scanner_that_fetches_every_link_confirms_nothing_and_the_person_does(
    person: Person, open_window: Open, service: Service
) -> None:
    person.gets_letter()
    fetched = fetches_everything(open_window(), service.home, person.letter_page())
    assert {"confirm", "not-me", "static"} <= fetched
    assert service.status_of(person.address) == "pending"

    person.confirms()

    assert service.status_of(person.address) == "confirmed"


@in_german
def test_a_scanner_at_the_link_to_leave_ends_nothing(
    person: Person, open_window: Open, service: Service
) -> None:
    person.gets_letter()
    person.confirms()
    scanner = open_window(javascript=True)
    assert "unsubscribe" in fetches_everything(scanner, service.home, person.page.content())

    opens_and_waits(scanner, link_to_leave(person))

    assert service.status_of(person.address) == "confirmed"


def link_to_leave(person: Person) -> str:
    return person.page.locator('a[href*="/unsubscribe/"]').get_attribute("href") or ""
