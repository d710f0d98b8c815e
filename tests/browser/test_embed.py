"""The copied form in a page on another origin, in a browser that holds it to a strict policy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.other_site import OtherSite
from tests.browser.own_web import OwnWeb
from tests.browser.watch import Watch
from tests.browser.windows import PATIENCE_MILLISECONDS
from tests.people import ADA, GRACE, status_of

Copy = Callable[..., None]

IN_PLACE = {
    "de": "Bitte prüfen Sie Ihr Postfach. Wenn für diese Adresse eine Bestätigung nötig ist",
    "en": "Please check your inbox. If this address needs to be confirmed",
}
NO_ANSWER = "Es kam keine Antwort. Bitte senden Sie noch einmal"


@pytest.fixture
def web(sqlite_template: Path, tmp_path: Path) -> OwnWeb:
    file = tmp_path / "newsletter.sqlite3"
    shutil.copy(sqlite_template, file)
    return OwnWeb(f"sqlite:///{file}")


@pytest.fixture
def site(other_site: OtherSite) -> Iterator[OtherSite]:
    """The customer's site with a page of thanks, and nothing left of it for the next test."""
    other_site.pages["/danke"] = "<!DOCTYPE html><title>Danke</title><h1>Danke</h1>"
    yield other_site
    other_site.pages.clear()
    other_site.headers.clear()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="de-DE")
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def page_without_script(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="de-DE", java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context.new_page()
    context.close()


@pytest.fixture
def copy(web: OwnWeb, site: OtherSite) -> Copy:
    """Copy a form from /embed into the site's page, and what it needs into the site's policy."""

    def copy(page: Page, form: str = "progressive", query: str = "", times: int = 1) -> None:
        page.goto(f"{web.url}/embed?{query}")
        snippet = page.locator(f"#{form}").inner_text()
        needed = page.locator(f"#policy-of-{form}").inner_text()
        site.pages["/"] = f"<!DOCTYPE html><title>Tischlerei</title>{snippet * times}"
        site.headers["Content-Security-Policy"] = (
            f"default-src 'none'; base-uri 'none'; require-trusted-types-for 'script'; {needed}"
        )

    return copy


def ask(page: Page, email: str) -> None:
    """Fill the form in and press its button."""
    page.get_by_role("textbox").fill(email)
    page.get_by_role("button").click()


@pytest.mark.parametrize("locale", ["de", "en"])
def test_the_answer_is_shown_in_place(
    web: OwnWeb, site: OtherSite, context: BrowserContext, copy: Copy, locale: str
) -> None:
    watch, page = Watch(context, frozenset({web.url, site.origin})), context.new_page()
    with web.running(ALLOWED_ORIGINS=site.origin) as app:
        copy(page, query=f"locale={locale}")
        page.goto(site.origin)
        ask(page, ADA)

        expect(page.get_by_role("status")).to_contain_text(IN_PLACE[locale])
        expect(page.get_by_role("status")).to_be_focused()
        expect(page.locator("form").locator("input, button, blockquote")).to_have_count(0)
        assert page.url == f"{site.origin}/"
        assert watch.look() == []
        assert status_of(app.test_client(), ADA) == "pending"


def test_the_script_tells_the_service_nothing_about_the_visit(
    web: OwnWeb, site: OtherSite, page: Page, copy: Copy
) -> None:
    with web.running(ALLOWED_ORIGINS=site.origin):
        copy(page)
        page.context.add_cookies([{"name": "known", "value": "1", "url": web.url}])
        page.goto(f"{site.origin}/?campaign=secret")
        ask(page, ADA)
        expect(page.get_by_role("status")).to_contain_text(IN_PLACE["de"])

    (sent,) = web.posted
    assert not {"HTTP_COOKIE", "HTTP_REFERER"} & sent.keys()


def test_the_button_rests_while_the_answer_is_under_way(
    web: OwnWeb, site: OtherSite, page: Page, copy: Copy
) -> None:
    with web.running(ALLOWED_ORIGINS=site.origin):
        copy(page)
        page.goto(site.origin)
        web.may_answer.clear()
        ask(page, ADA)

        expect(page.get_by_role("button")).to_be_disabled()
        web.may_answer.set()
        expect(page.get_by_role("button")).to_have_count(0)


def test_a_form_pasted_twice_sends_once(
    web: OwnWeb, site: OtherSite, page: Page, copy: Copy
) -> None:
    with web.running(ALLOWED_ORIGINS=site.origin):
        copy(page, times=2)
        page.goto(site.origin)
        second = page.locator("form").last
        second.get_by_role("textbox").fill(ADA)
        second.get_by_role("button").click()

        expect(second.get_by_role("status")).to_contain_text(IN_PLACE["de"])
        expect(page.get_by_role("status").first).to_be_empty()
    assert len(web.posted) == 1


def test_a_mistyped_address_is_pointed_at_and_can_be_mended(
    web: OwnWeb, site: OtherSite, page: Page, copy: Copy
) -> None:
    with web.running(ALLOWED_ORIGINS=site.origin):
        copy(page)
        page.goto(site.origin)
        ask(page, "ada@example")

        email = page.get_by_role("textbox")
        expect(email).to_be_focused()
        expect(email).to_have_attribute("aria-invalid", "true")
        expect(email).to_have_accessible_description(page.get_by_role("status").inner_text())
        expect(page.get_by_role("status")).to_contain_text("gültige E-Mail-Adresse")

        ask(page, ADA)
        expect(page.get_by_role("status")).to_contain_text(IN_PLACE["de"])


def test_an_answer_stands_beneath_what_it_is_about_or_in_place_of_the_form(
    web: OwnWeb, site: OtherSite, page: Page, copy: Copy
) -> None:
    with web.running(ALLOWED_ORIGINS=site.origin):
        copy(page)
        page.goto(site.origin)
        ask(page, "ada@example")
        expect(page.locator("label + [role=status]")).to_contain_text("gültige E-Mail-Adresse")

        web.may_answer.clear()
        ask(page, ADA)
        expect(page.locator("button + [role=status]")).to_have_text("…")
        web.may_answer.set()
        expect(page.locator("form > [role=status]:only-child")).to_contain_text(IN_PLACE["de"])


def test_too_many_sign_ups_are_told_in_the_forms_language(
    web: OwnWeb, site: OtherSite, page: Page, copy: Copy
) -> None:
    with web.running(ALLOWED_ORIGINS=site.origin, CLIENT_LIMIT="1 per 10 minutes"):
        copy(page, query="locale=en")
        page.goto(site.origin)
        ask(page, ADA)
        expect(page.get_by_role("status")).to_contain_text(IN_PLACE["en"])
        page.reload()
        ask(page, GRACE)

        expect(page.get_by_role("status")).to_contain_text("Try again in ten minutes")


def test_a_service_without_its_database_says_so_and_the_form_can_be_sent_later(
    web: OwnWeb, site: OtherSite, page: Page, copy: Copy
) -> None:
    with web.running(ALLOWED_ORIGINS=site.origin):
        copy(page)
        page.goto(site.origin)
    with web.running(
        ALLOWED_ORIGINS=site.origin, DATABASE_URL="sqlite:////nowhere/newsletter.sqlite3"
    ):
        ask(page, ADA)
        expect(page.get_by_role("status")).to_contain_text("Ihre Anfrage wurde nicht ausgeführt")

    with web.running(ALLOWED_ORIGINS=site.origin):
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text(IN_PLACE["de"])


def test_where_no_answer_comes_the_next_press_sends_the_plain_form(
    web: OwnWeb, site: OtherSite, page: Page, copy: Copy
) -> None:
    with web.running(ALLOWED_ORIGINS=site.origin):
        copy(page)
        page.goto(site.origin)
    ask(page, ADA)
    expect(page.get_by_role("status")).to_contain_text(NO_ANSWER)

    with web.running(ALLOWED_ORIGINS=site.origin) as app:
        page.get_by_role("button").click()
        page.wait_for_url(f"{web.url}/inbox?locale=de")
        assert status_of(app.test_client(), ADA) == "pending"


def test_a_site_that_is_not_allowed_can_still_sign_people_up(
    web: OwnWeb, site: OtherSite, page: Page, copy: Copy
) -> None:
    with web.running() as app:
        copy(page)
        page.goto(site.origin)
        ask(page, ADA)
        expect(page.get_by_role("status")).to_contain_text(NO_ANSWER)
        assert status_of(app.test_client(), ADA) == "unknown"

        page.get_by_role("button").click()
        page.wait_for_url(f"{web.url}/inbox?locale=de")
        assert status_of(app.test_client(), ADA) == "pending"


@pytest.mark.parametrize("form", ["plain", "progressive"])
def test_without_script_people_are_led_to_the_inbox_page(
    web: OwnWeb, site: OtherSite, page_without_script: Page, copy: Copy, form: str
) -> None:
    page = page_without_script
    with web.running() as app:
        copy(page, form)
        page.goto(site.origin)
        ask(page, ADA)

        page.wait_for_url(f"{web.url}/inbox?locale=de")
        expect(page.get_by_role("heading")).to_have_text("Bitte prüfen Sie Ihr Postfach")
        assert status_of(app.test_client(), ADA) == "pending"


def test_without_script_people_are_led_to_the_next_page(
    web: OwnWeb, site: OtherSite, page_without_script: Page, copy: Copy
) -> None:
    page = page_without_script
    with web.running(ALLOWED_ORIGINS=site.origin):
        copy(page, "plain", query=f"next={site.origin}/danke")
        page.goto(site.origin)
        ask(page, ADA)

        page.wait_for_url(f"{site.origin}/danke")
        expect(page.get_by_text("Danke")).to_be_visible()


def test_the_preview_is_the_form_with_the_starter_style_and_works(
    web: OwnWeb, context: BrowserContext
) -> None:
    watch, page = Watch(context, frozenset({web.url})), context.new_page()
    with web.running() as app:
        page.goto(f"{web.url}/embed")
        preview = page.locator(".preview form")
        assert preview.locator("blockquote").inner_text() == page.evaluate(_CONSENT_OF_PLAIN)
        expect(preview.get_by_role("button")).to_have_css("background-color", "rgb(20, 80, 95)")

        preview.get_by_role("textbox").fill(ADA)
        preview.get_by_role("button").click()
        page.wait_for_url(f"{web.url}/inbox?locale=de")
        assert status_of(app.test_client(), ADA) == "pending"
        assert watch.look() == []


_CONSENT_OF_PLAIN = """() => {
  const form = document.createElement("div");
  form.innerHTML = document.querySelector("#plain").innerText;
  return form.querySelector("blockquote").innerText.replace(/\\s+/g, " ").trim();
}"""


@pytest.mark.parametrize("code", ["plain", "progressive", "style", "policy-of-progressive"])
def test_code_is_copied_by_a_button(web: OwnWeb, context: BrowserContext, code: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=web.url)
    page = context.new_page()
    with web.running():
        page.goto(f"{web.url}/embed")
        button = page.locator(f"button:has(+ #{code})")
        expect(button).to_have_text("Kopieren")
        button.click()
        expect(button).to_have_text("Kopiert")

    assert (
        page.evaluate("navigator.clipboard.readText()") == page.locator(f"#{code}").text_content()
    )


def test_without_script_no_button_promises_to_copy(web: OwnWeb, page_without_script: Page) -> None:
    with web.running():
        page_without_script.goto(f"{web.url}/embed")

        expect(page_without_script.locator("main").get_by_role("button")).to_have_text(
            ["Newsletter abonnieren"]
        )


def test_people_do_not_meet_the_trap(web: OwnWeb, site: OtherSite, page: Page, copy: Copy) -> None:
    with web.running():
        copy(page, "plain")
    page.goto(site.origin)

    expect(page.locator("[name=homepage]")).to_be_hidden()
    page.get_by_role("textbox").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("blockquote").get_by_role("link")).to_be_focused()
