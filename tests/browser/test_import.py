"""A list is brought by the desk as staff do it: without scripts, by keyboard, with a file of their own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.service import Service
from tests.people import STAFF_TOKEN


@pytest.fixture
def desk(browser: Browser, service: Service) -> Iterator[Page]:
    """Signed in, without scripts."""
    context = browser.new_context(
        locale="de",
        base_url=service.home,
        java_script_enabled=False,
        viewport={"width": 360, "height": 740},
    )
    page = context.new_page()
    page.goto("/desk/sign-in")
    page.fill("#token", STAFF_TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk")
    yield page
    context.close()


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of one person."""
    path = tmp_path / "list.csv"
    path.write_text(
        f"email,confirmed_at\n{uuid.uuid4().hex[:12]}@example.org,2020-05-01\n", "utf-8"
    )
    return path


def sends(page: Page, file: Path) -> None:
    page.set_input_files("#file", file)
    page.locator("#file").focus()
    page.locator("main button[type=submit]").press("Enter")


def test_a_list_is_tried_out_and_then_taken_over(desk: Page, listed: Path) -> None:
    desk.get_by_role("link", name="Liste übernehmen").click()
    sends(desk, listed)
    expect(desk.get_by_role("heading", level=1)).to_have_text("Was aus der Datei würde")
    expect(desk.get_by_text("Bestätigt: 1")).to_be_visible()

    sends(desk, listed)
    expect(desk.get_by_role("heading", level=1)).to_have_text("Übernommen")
    expect(desk.get_by_text("Bestätigt: 1")).to_be_visible()


@pytest.mark.parametrize("octets", [1_060_000, 5_000_000])
def test_a_file_that_is_too_large_is_refused(desk: Page, tmp_path: Path, octets: int) -> None:
    (tmp_path / "large.csv").write_bytes(b"x" * octets)
    desk.goto("/desk/import")

    sends(desk, tmp_path / "large.csv")
    expect(desk.locator("#file-error")).to_have_text("Die Datei ist größer als 1 MB.")
