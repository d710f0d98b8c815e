"""The language of an answer."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from flask.testing import FlaskClient

from sandbox.mailbox import Mailbox
from tests.conftest import ClientWith, Drain
from tests.people import ADA, link_in, sign_up
from tests.web.callers import BROWSER


def language_of(client: FlaskClient, path: str, **headers: str) -> str:
    page = client.get(path, headers={**BROWSER, **headers}).text
    return page.partition('<html lang="')[2][:2]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("de-AT", "de"),
        ("fr", "de"),
        ("fr, en;q=0.5", "en"),
        ("*", "de"),
        ("", "de"),
        ("nonsense;q=", "de"),
    ],
)
def test_a_browser_is_answered_in_the_language_it_prefers(
    any_client: FlaskClient, accepted: str, language: str
) -> None:
    assert language_of(any_client, "/", **{"Accept-Language": accepted}) == language


@pytest.mark.parametrize(("asked", "language"), [("en", "en"), ("de", "de"), ("fr", "en")])
def test_the_url_takes_precedence_over_the_browser(
    any_client: FlaskClient, asked: str, language: str
) -> None:
    assert language_of(any_client, f"/?locale={asked}", **{"Accept-Language": "en"}) == language


def test_english_is_offered_only_with_english_topics(client_with: ClientWith) -> None:
    client = client_with(TOPICS_EN="")

    assert language_of(client, "/?locale=en", **{"Accept-Language": "en"}) == "de"


def test_the_default_is_a_setting(client_with: ClientWith) -> None:
    assert language_of(client_with(DEFAULT_LOCALE="en"), "/") == "en"


def test_errors_are_in_the_same_language(any_client: FlaskClient) -> None:
    answer = any_client.get("/nowhere", headers={"Accept-Language": "en"})

    assert answer.get_json()["title"] == "Not found"


def test_a_page_is_in_the_language_of_its_email(
    client: FlaskClient, drain: Drain, mailbox: Mailbox
) -> None:
    sign_up(client, ADA, locale="en")
    drain()
    path = link_in(mailbox.letters[0].message)

    assert language_of(client, path, **{"Accept-Language": "de"}) == "en"
    assert language_of(client, f"{path}?locale=de") == "de"


def test_a_link_of_a_german_email_opens_a_german_page_in_an_english_browser(
    client: FlaskClient, letter: EmailMessage
) -> None:
    assert language_of(client, link_in(letter, "not-me"), **{"Accept-Language": "en"}) == "de"
