"""A browser, the service as it is run, and a customer's site beside it.

All of it is started once for the folder (on each of pytest's workers), so every test takes people of its own:
`address` is one that nobody has used.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser

from newsletter.app import create_core
from newsletter.config import load
from newsletter.domain import clock as our_clock
from newsletter.subscriptions import links
from newsletter.subscriptions.links import Link, Purpose
from sandbox.environment import COMPANY as SAMPLE
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.browser import chromium
from tests.browser.other_site import OtherSite
from tests.browser.person import LETTER_URL, Locale, Person
from tests.browser.watch import origin_of
from tests.browser.windows import Open, windows
from tests.conftest import environment
from tests.journeys.service import Service, running
from tests.patience import PATIENCE

LinkToData = Callable[[str], str]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium.running() as browser:
        yield browser


@pytest.fixture(scope="package")
def mailbox() -> Iterator[Mailbox]:
    """Where all letters arrive: `mailbox.letters_to(address)`, `mailbox.wait_for(…)`."""
    with Mailbox() as running:
        yield running


@pytest.fixture(scope="package")
def mailchimp() -> Iterator[StandIn]:
    """The stand-in Mailchimp: `mailchimp.contacts[address.lower()].status`."""
    with StandIn() as running:
        yield running


@pytest.fixture(scope="package")
def other_site() -> Iterator[OtherSite]:
    """A customer's site; ALLOWED_ORIGINS names its `origin`, and not its `foreign_origin`."""
    with OtherSite() as running:
        yield running


@pytest.fixture(scope="package")
def service(
    mailbox: Mailbox,
    mailchimp: StandIn,
    other_site: OtherSite,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """Web and worker processes on SQLite; its pages are at `service.home` + path."""
    folder = tmp_path_factory.mktemp("browser")
    environ: dict[str, Any] = {
        **environment(f"sqlite:///{folder}/newsletter.sqlite3", mailbox, mailchimp),
        "ALLOWED_ORIGINS": other_site.origin,
        "IMPRINT_EN": SAMPLE["IMPRINT_EN"],
        "PRIVACY_URL_EN": SAMPLE["PRIVACY_URL_EN"],
        "HOME_URL": "https://www.example.com/",
    }
    with running(environ, folder) as service:
        yield service


def change(service: Service, statement: str) -> None:
    """Have time passed for the service, by what its database holds."""
    path = service.environ["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=PATIENCE)) as database, database:
        database.execute(statement)


@pytest.fixture(scope="package")
def link_to_data(service: Service) -> LinkToData:
    """What a letter would bring to somebody, by reference: one who was written just now gets none so soon."""

    def link_to(reference: str) -> str:
        with create_core(load(service.environ)).app_context():
            return links.url_for(Purpose.MY_DATA, Link(reference, written_at=our_clock.now()))

    return link_to


@pytest.fixture
def open_window(browser: Browser, service: Service) -> Iterator[Open]:
    """Open windows on the service: `open_window(javascript=False).goto("/")`.

    Every window is watched, and a test fails if a page in it has spoken to an origin that is neither the
    service's nor one of `also`, has said anything on the console (such as what the Content-Security-Policy
    blocks), or has left a cookie or anything else in the browser.
    """
    with windows(browser, service.home) as open_window:
        yield open_window


@pytest.fixture
def address() -> str:
    """An address that nobody has used."""
    return f"{uuid.uuid4().hex[:12]}@example.org"


@pytest.fixture(params=["de", "en"])
def locale(request: pytest.FixtureRequest) -> Locale:
    """Each of the languages."""
    return request.param  # type: ignore[no-any-return]  # pytest cannot know


@pytest.fixture
def person(open_window: Open, mailbox: Mailbox, address: str, locale: Locale) -> Person:
    """Somebody whose browser runs no scripts, in each of the languages."""
    page = open_window(javascript=False, locale=locale, also=(origin_of(LETTER_URL),))
    return Person(page, mailbox, address, locale)
