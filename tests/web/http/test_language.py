"""The language of an answer."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from flask.testing import FlaskClient

from sandbox.mailbox import Mailbox
from tests.conftest import ClientWith, Drain
from tests.people import ADA, link_in, sign_up
from tests.web.callers import BROWSER
from tests.web.snippets import Document, Element


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


def other_language(page: str) -> Element:
    """What leads to the same page in the other language."""
    (found,) = (
        each
        for each in Document(page).named("a", "button")
        if "header" in [outer.name for outer in each.within]
    )
    return found


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/inbox", "/my-data", "/my-data-inbox", "/embed", "/problems"),
        *("/nowhere", "/confirm/made-up", "/my-data/made-up"),
    ],
)
def test_a_page_leads_to_itself_in_the_other_language(any_client: FlaskClient, path: str) -> None:
    switch = other_language(any_client.get(path, headers=BROWSER).text)

    assert (switch.words, switch.attributes["lang"]) == ("English", "en")
    assert language_of(any_client, f"{path}{switch.attributes['href']}") == "en"


def test_where_one_language_is_offered_no_page_leads_to_another(client_with: ClientWith) -> None:
    page = client_with(TOPICS_EN="").get("/", headers=BROWSER)

    assert "English" not in page.text


@pytest.mark.parametrize(
    ("purpose", "fields", "words"),
    [
        ("confirm", {}, "You’re subscribed"),
        ("not-me", {}, "The request has been deleted"),
        ("not-me", {"block": "1"}, "The address is blocked"),
    ],
)
def test_the_answer_to_a_button_is_given_again_in_the_other_language(
    client: FlaskClient, letter: EmailMessage, purpose: str, fields: dict[str, str], words: str
) -> None:
    path = link_in(letter, purpose)
    page = client.post(path, data=fields, headers=BROWSER)

    switch = other_language(page.text)
    form = switch.within[-1]
    sent = {
        str(each.attributes["name"]): each.attributes["value"] or ""
        for each in Document(page.text).named("input")
        if form.attributes in [outer.attributes for outer in each.within]
    }
    again = client.post(f"{path}{form.attributes['action']}", data=sent, headers=BROWSER)

    assert form.attributes["method"] == "post"
    assert words in again.text


def test_a_mistyped_address_is_still_there_in_the_other_language(any_client: FlaskClient) -> None:
    page = any_client.post("/subscriptions", data={"email": "ada@"}, headers=BROWSER)

    form, typed = other_language(page.text).within[-1], Document(page.text).fields()["email"]
    again = any_client.post(
        f"/subscriptions{form.attributes['action']}", data={"email": typed}, headers=BROWSER
    )

    assert '<html lang="en">' in again.text
    assert Document(again.text).one("input", id="email").attributes["value"] == "ada@"
