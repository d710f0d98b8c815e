"""The pages of the desk keep nobody out: light and dark, wide and narrow, in both languages, by keyboard."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Browser, Page

from tests.journeys.service import Service
from tests.people import STAFF_TOKEN

_RUN = "options => axe.run(document, options).then(({violations}) => ({violations}))"
_OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


@pytest.fixture(params=["de", "en"])
def page(request: pytest.FixtureRequest, browser: Browser, service: Service) -> Iterator[Page]:
    """A window in each language; what it says on the console fails the test."""
    context = browser.new_context(locale=request.param, base_url=service.home)
    window = context.new_page()
    said: list[str] = []
    window.on("console", lambda message: said.append(message.text))
    yield window
    context.close()
    assert said == []


@pytest.fixture
def desk(page: Page) -> Page:
    """Signed in, by keyboard alone."""
    page.goto("/desk/sign-in")
    page.locator("#token").focus()
    page.keyboard.type(STAFF_TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk")
    return page


def barriers_on(page: Page) -> list[str]:
    """What axe finds, and what is wider than a telephone."""
    found: list[str] = []
    page.evaluate(AXE_SCRIPT)
    for width in (1200, 360):
        page.set_viewport_size({"width": width, "height": 740})
        overhang = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found += [f"{page.url} is {overhang} px too wide"] * (overhang > 0)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            results = AxeResults(page.evaluate(_RUN, _OPTIONS))
            found += [results.generate_report()] * (results.violations_count > 0)
    return found


def looks_for(page: Page, who: str) -> None:
    page.goto("/desk/people")
    page.fill("#who", who)
    page.locator("main form button").click()
    page.wait_for_load_state()


@pytest.mark.requires("R77")
def test_signing_in_keeps_nobody_out(page: Page) -> None:
    page.goto("/desk/sign-in")

    assert barriers_on(page) == []


@pytest.mark.requires("R77")
def test_no_page_of_the_desk_keeps_anybody_out(desk: Page) -> None:
    found: list[str] = []
    desk.locator("summary").click()
    found += barriers_on(desk)
    for page in ("waiting", "people", "erasures", "consent-texts", "texts", "import"):
        desk.goto(f"/desk/{page}")
        found += barriers_on(desk)

    assert found == []


@pytest.mark.requires("R77")
def test_no_page_about_a_person_keeps_anybody_out(desk: Page) -> None:
    somebody = f"{uuid.uuid4().hex[:12]}@example.org"
    desk.request.post("/subscriptions", data={"email": somebody})
    looks_for(desk, somebody)
    person, found = desk.url, barriers_on(desk)
    for act in ("access", "block", "restrict", "correct", "erase"):
        desk.goto(f"{person}/{act}")
        found += barriers_on(desk)
    desk.locator("button.final").click()
    desk.wait_for_url("**/desk/erasures/**")
    found += barriers_on(desk)
    looks_for(desk, f"{uuid.uuid4().hex[:12]}@example.org")
    found += barriers_on(desk)

    assert found == []


@pytest.mark.requires("R77")
def test_the_report_of_a_list_keeps_nobody_out(desk: Page, tmp_path: Path) -> None:
    somebody = f"{uuid.uuid4().hex[:12]}@example.org"
    (tmp_path / "list.csv").write_text(f"email,confirmed_at\n{somebody},2020-05-01\nnobody,\n")
    desk.goto("/desk/import")

    found: list[str] = []
    for _ in ("tried out", "taken over"):
        desk.set_input_files("#file", tmp_path / "list.csv")
        desk.locator("main button[type=submit]").click()
        desk.wait_for_load_state()
        found += barriers_on(desk)
    assert found == []
