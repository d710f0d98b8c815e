"""The pages of the desk keep nobody out; with SCREENSHOTS set to a folder, pictures of them are put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, expect

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.browser.camera import Camera, Look, barriers_in, overhangs_in, torn_in
from tests.browser.desk_gallery import DeskGallery
from tests.browser.person import Locale
from tests.browser.windows import PATIENCE
from tests.journeys.service import Service
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
    context.set_default_timeout(PATIENCE)
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
