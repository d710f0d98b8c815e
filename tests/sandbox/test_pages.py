"""The pages a person clicks through."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask.testing import FlaskClient

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn, answers
from sandbox.pages import Pages, create_pages, linked
from sandbox.tour.service import Service
from tests.browser import chromium
from tests.patience import PATIENCE
from tests.people import ADA, GRACE
from tests.sandbox.conftest import Call, Listener
from tests.sandbox.paths import path_of

SERVICE = Service("http://127.0.0.1:1", "token-of-staff", Path("var/sandbox.env"))


@pytest.fixture
def pages(mailchimp: StandIn, mailbox: Mailbox) -> FlaskClient:
    return create_pages(mailchimp, mailbox, SERVICE).test_client()


def send(mailbox: Mailbox, subject: str = "Bitte bestätigen", *, html: str | None = None) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", ADA, subject
    message.set_content("Öffnen Sie <bitte> https://example.com/confirm/a?b=1&c=2.\n")
    if html is not None:
        message.add_alternative(html, subtype="html")
    port = urlsplit(mailbox.smtp_url).port or 0
    with smtplib.SMTP("127.0.0.1", port, "localhost") as client:
        client.send_message(message)


PATHS = ["/", "/mailbox", "/contacts", "/calls", "/hosted-form"]


@pytest.mark.parametrize("path", PATHS)
def test_every_page_leads_everywhere(pages: FlaskClient, path: str) -> None:
    links = set(re.findall(r'href="([^"]+)"', pages.get(path).text))

    assert {f"{SERVICE.url}/?locale=en", *PATHS} <= links
    assert "?locale=de" in links


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_german_too_once_german_was_chosen(pages: FlaskClient, path: str) -> None:
    pages.get(f"{path}?locale=de")
    page = pages.get(path, headers={"Accept-Language": "en"}).text

    assert '<html lang="de">' in page
    assert "Mailchimps Formular" in page
    assert 'href="?locale=en"' in page


@pytest.mark.parametrize(("locale", "zone"), [("de", r"Uhr \(MES?Z\)"), ("en", r"\(CES?T\)")])
def test_times_are_written_as_on_the_services_pages(
    pages: FlaskClient, mailbox: Mailbox, locale: str, zone: str
) -> None:
    send(mailbox)

    assert re.search(rf"\d\d:\d\d:\d\d {zone}", pages.get(f"/mailbox?locale={locale}").text)


def test_a_german_browser_is_answered_in_german(pages: FlaskClient) -> None:
    page = pages.get("/", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}).text

    assert "Der Weg einer Person durch den Newsletterdienst" in page


@pytest.mark.parametrize("path", PATHS)
def test_no_page_has_a_script_or_anything_from_elsewhere(pages: FlaskClient, path: str) -> None:
    answer = pages.get(path)

    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert not re.search(r'(src|<link[^>]*href)="', answer.text)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_mailbox_shows_the_newest_letter_first(pages: FlaskClient, mailbox: Mailbox) -> None:
    send(mailbox, "Erster")
    send(mailbox, "Zweiter")

    html = pages.get("/mailbox").text

    assert html.index('href="/mailbox/2">Zweiter') < html.index('href="/mailbox/1">Erster')


def test_a_letter_shows_its_headers_and_its_links(pages: FlaskClient, mailbox: Mailbox) -> None:
    send(mailbox)

    html = pages.get("/mailbox/1").text

    assert f"<dd>{ADA}</dd>" in html
    assert '<a href="https://example.com/confirm/a?b=1&amp;c=2"' in html
    assert "Öffnen Sie &lt;bitte&gt; " in html
    assert "<iframe" not in html


def test_a_letters_html_is_shown_in_a_frame_without_scripts(
    pages: FlaskClient, mailbox: Mailbox
) -> None:
    send(mailbox, html='<p class="x">Guten Tag</p>')

    html = pages.get("/mailbox/1").text

    frame = re.search(r'<iframe [^>]*sandbox="([^"]*)" srcdoc="([^"]*)"', html)
    assert frame is not None
    assert "allow-scripts" not in frame[1]
    assert "&lt;p class=&#34;x&#34;&gt;Guten Tag&lt;/p&gt;" in frame[2]


def test_a_subject_is_escaped(pages: FlaskClient, mailbox: Mailbox) -> None:
    send(mailbox, "<b>x</b>")

    assert "<b>x</b>" not in pages.get("/mailbox").text + pages.get("/mailbox/1").text


@pytest.mark.parametrize("path", ["/mailbox/0", "/mailbox/1", "/nothing"])
def test_a_missing_page_is_not_found(pages: FlaskClient, path: str) -> None:
    assert pages.get(path).status_code == 404


def test_contacts_show_their_status(pages: FlaskClient, mailchimp: StandIn) -> None:
    mailchimp.add(ADA, language="de", timestamp_opt="2026-11-22T10:00:00+00:00")

    html = pages.get("/contacts").text

    assert ADA in html
    assert '<span class="status">subscribed</span>' in html
    assert "2026-11-22T10:00:00+00:00" in html


def test_only_the_pending_can_be_confirmed(pages: FlaskClient, mailchimp: StandIn) -> None:
    mailchimp.add(ADA)
    without = pages.get("/contacts").text
    mailchimp.add(GRACE, "pending")

    assert 'value="confirm"' not in without
    assert 'value="confirm"' in pages.get("/contacts").text


@pytest.mark.parametrize(
    ("act", "before", "after", "event"),
    [
        ("unsubscribe", "subscribed", "unsubscribed", "unsubscribe"),
        ("complain", "subscribed", "unsubscribed", "unsubscribe"),
        ("bounce", "subscribed", "cleaned", "cleaned"),
        ("confirm", "pending", "subscribed", "subscribe"),
    ],
)
def test_a_button_acts_and_shows_the_webhooks_answer(
    pages: FlaskClient,
    mailchimp: StandIn,
    listener: Listener,
    act: str,
    before: str,
    after: str,
    event: str,
) -> None:
    mailchimp.add(ADA, before)
    mailchimp.webhook_url = listener.url

    answer = pages.post("/contacts", data={"act": act, "email": ADA})

    html = pages.get("/contacts").text
    assert (answer.status_code, answer.location) == (303, "/contacts#webhooks")
    assert mailchimp.contacts[ADA.lower()].status == after
    assert f'<strong>{event}</strong> <span class="status">answered 204</span>' in html


def test_a_webhook_that_did_not_answer_is_shown_as_such(
    pages: FlaskClient, mailchimp: StandIn
) -> None:
    mailchimp.add(ADA)
    mailchimp.webhook_url = "http://127.0.0.1:1/"
    pages.post("/contacts", data={"act": "unsubscribe", "email": ADA})

    assert pages.get("/contacts").text.count("no answer") == 3


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"act": "unsubscribe", "email": GRACE}, 404),
        ({"act": "confirm", "email": ADA}, 404),
        ({"act": "explode", "email": ADA}, 400),
        ({}, 400),
    ],
)
def test_what_cannot_be_done_is_refused(
    pages: FlaskClient, mailchimp: StandIn, form: dict[str, str], status: int
) -> None:
    mailchimp.add(ADA)

    assert pages.post("/contacts", data=form).status_code == status


def test_another_site_cannot_push_the_buttons(pages: FlaskClient, mailchimp: StandIn) -> None:
    mailchimp.add(ADA)
    form, headers = {"act": "unsubscribe", "email": ADA}, {"Sec-Fetch-Site": "cross-site"}

    assert pages.post("/contacts", data=form, headers=headers).status_code == 403
    assert mailchimp.contacts[ADA.lower()].status == "subscribed"


def test_another_host_name_is_refused(pages: FlaskClient) -> None:
    assert pages.get("/", headers={"Host": "evil.example.com"}).status_code == 400


def test_mailchimps_own_form_brings_somebody_back(pages: FlaskClient, mailchimp: StandIn) -> None:
    mailchimp.forgotten.add(ADA)

    answer = pages.post("/hosted-form", data={"email": f" {ADA} "})

    assert answer.location == "/contacts"
    assert mailchimp.contacts[ADA.lower()].status == "subscribed"


def test_mailchimps_own_form_takes_addresses_alone(pages: FlaskClient) -> None:
    assert pages.post("/hosted-form", data={"email": "ada"}).status_code == 400


def test_the_deleted_are_counted_and_not_named(pages: FlaskClient, mailchimp: StandIn) -> None:
    mailchimp.forgotten.add(ADA)

    html = pages.get("/contacts").text

    assert "Deleted permanently: 1." in html
    assert ADA not in html


def test_calls_show_what_was_asked_and_answered(
    pages: FlaskClient, mailchimp: StandIn, call: Call
) -> None:
    mailchimp.answer_next(answers.throttled())
    call("PUT", f"{path_of(ADA)}?skip_merge_validation=true", {"email_address": "<b>"})

    html = pages.get("/calls").text

    assert f"<strong>PUT</strong> {path_of(ADA)}" in html
    assert "answered 429" in html
    assert "&#34;skip_merge_validation&#34;: &#34;true&#34;" in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("(https://example.com/a).", '(<a href="https://example.com/a"'),
        ('"https://example.com/a"', '&#34;<a href="https://example.com/a"'),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("<https://example.com/a>", '&lt;<a href="https://example.com/a"'),
    ],
)
def test_links_are_found_and_the_rest_is_escaped(text: str, html: str) -> None:
    assert linked(text).startswith(html)


@pytest.fixture
def served(mailchimp: StandIn, mailbox: Mailbox) -> Iterator[int]:
    """The port of running pages."""
    running = Pages(create_pages(mailchimp, mailbox, SERVICE))
    yield running.start()
    running.stop()


def test_pages_are_served_on_loopback(served: int) -> None:
    assert requests.get(f"http://localhost:{served}/contacts", timeout=PATIENCE).status_code == 200


def test_a_taken_port_is_an_error_and_not_the_end(served: int, pages: FlaskClient) -> None:
    with pytest.raises(OSError, match="in use"):
        Pages(pages.application).start(served)


def test_a_letter_that_turns_dark_can_be_read_on_its_ground(served: int, mailbox: Mailbox) -> None:
    send(mailbox, html='<meta name="color-scheme" content="light dark"><p>Guten Tag</p>')
    with chromium.running() as browser:
        page = browser.new_page(color_scheme="dark")
        page.goto(f"http://localhost:{served}/mailbox/1")
        ground = page.locator("iframe").evaluate("it => getComputedStyle(it).backgroundColor")
        ink = page.frame_locator("iframe").locator("p").evaluate("it => getComputedStyle(it).color")

    assert (ink, ground) == ("rgb(255, 255, 255)", "rgb(18, 18, 18)")
