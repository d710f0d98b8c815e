"""Every page that people see keeps nobody out; with SCREENSHOTS set to a folder, pictures of them are put there."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsletter.config import load
from newsletter.storage.models import LetterKind
from newsletter.web.samples import rendering
from sandbox.mailbox import Mailbox
from tests.browser.camera import SHOWN_HOST, Camera, Look, barriers_in, overhangs_in, torn_in
from tests.browser.conftest import LinkToData, change
from tests.browser.gallery import Gallery
from tests.browser.person import LETTER_URL, Locale, Person
from tests.browser.watch import origin_of
from tests.browser.windows import windows
from tests.journeys.service import Service

ALBUM = Path(__file__).parent.parent.parent / "docs" / "screenshots"


@pytest.fixture(scope="module", params=["de", "en"])
def looks(
    request: pytest.FixtureRequest,
    browser: Browser,
    service: Service,
    mailbox: Mailbox,
    link_to_data: LinkToData,
) -> list[Look]:
    """All pages in one language, looked at one by one."""
    locale: Locale = request.param
    folder = os.environ.get("SCREENSHOTS")
    with windows(browser, service.home) as open_window:
        page = open_window(locale=locale, also=(origin_of(LETTER_URL),))
        person = Person(page, mailbox, f"ada.{uuid.uuid4().hex[:4]}@example.org", locale)
        camera = Camera(page, locale, service.home, Path(folder) if folder else None)
        way_back = way_back_letter(service, locale)

        def pause() -> None:
            change(service, "DELETE FROM quota")

        return list(Gallery(person, camera, link_to_data, pause, way_back).walk())


def way_back_letter(service: Service, locale: Locale) -> str:
    """The HTML twin of what somebody gets whom Mailchimp does not let us add."""
    app = rendering.sample_app(load({**service.environ, "PUBLIC_URL": f"https://{SHOWN_HOST}"}))
    twin = rendering.letter(app, locale, LetterKind.WAY_BACK).message.get_body(("html",))
    assert twin is not None
    return str(twin.get_content())


@pytest.mark.requires("R77")
def test_nothing_on_any_page_keeps_anybody_out(looks: list[Look]) -> None:
    assert barriers_in(looks) == []


def test_no_page_is_wider_than_a_telephone(looks: list[Look]) -> None:
    assert overhangs_in(looks) == {}


def test_no_headline_is_torn_at_a_hyphen(looks: list[Look]) -> None:
    assert torn_in(looks) == {}


def test_the_album_shows_every_picture_and_is_small() -> None:
    pictures = {path.name: path.stat().st_size for path in ALBUM.glob("*.png")}
    shown = re.findall(r"\((\S+\.png)\)", (ALBUM / "README.md").read_text("utf-8"))

    assert sorted(shown) == sorted(pictures)
    assert sum(pictures.values()) <= 12_000_000
