"""The table from exceptions to answers."""

from __future__ import annotations

import logging
import string
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from newsletter.domain import errors as causes
from newsletter.subscriptions.links import Link, Purpose, url_for
from newsletter.web.http import errors
from newsletter.web.http.error_texts import TEXTS
from tests.conftest import ClientWith
from tests.people import ADA
from tests.web.callers import BROWSER
from tests.web.snippets import Document


def failing(client: FlaskClient, error: Exception) -> FlaskClient:
    """A client of an application in which the form fails."""
    app = client.application

    def fail() -> NoReturn:
        raise error

    app.view_functions["signup.form"] = fail
    return client


@pytest.mark.requires("R71")
def test_a_problem_has_the_form_of_rfc_9457(any_client: FlaskClient) -> None:
    answer = any_client.get("/nowhere")

    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.get_json()["status"] == 404
    assert set(answer.get_json()) == {"type", "title", "status", "detail"}


def test_a_browser_gets_a_page(any_client: FlaskClient) -> None:
    answer = any_client.get("/nowhere", headers=BROWSER)

    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "<h1>Nicht gefunden</h1>" in answer.text


@pytest.mark.requires("R71")
def test_the_type_leads_to_an_explanation(any_client: FlaskClient) -> None:
    type_ = any_client.get("/nowhere").get_json()["type"]

    assert type_ == "http://localhost:8000/problems#not-found"
    explained = Document(any_client.get("/problems").text).named("section")
    assert "not-found" in [each.attributes["id"] for each in explained]


def test_texts_have_no_other_braces() -> None:
    texts = [str(text) for told in TEXTS.values() for text in told]

    names = {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}
    assert names == {"form", "my_data", "contact"}


@pytest.mark.requires("R71")
@pytest.mark.parametrize("headers", [{}, BROWSER])
def test_an_unknown_path_is_not_repeated(any_client: FlaskClient, headers: dict[str, str]) -> None:
    assert "ada" not in any_client.get(f"/{ADA}?x={ADA}", headers=headers).text.lower()


def test_the_answer_to_a_wrong_method_lists_the_right_ones(any_client: FlaskClient) -> None:
    answer = any_client.delete("/subscriptions")

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT 1", {}, Exception("no route to host")),
        InterfaceError("SELECT 1", {}, Exception("closed")),
        PoolTimeoutError(),
        causes.Unavailable(),
    ],
)
def test_with_the_database_away_it_is_worth_trying_again(
    any_client: FlaskClient, error: Exception
) -> None:
    answer = failing(any_client, error).get("/")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "SELECT" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "leads_back"), [("POST", "/subscriptions", True), ("GET", "/my-link", False)]
)
def test_the_page_after_a_failed_sign_up_links_to_the_form(
    client_with: ClientWith, method: str, path: str, *, leads_back: bool
) -> None:
    client = client_with(DATABASE_URL="sqlite:////nowhere/newsletter.sqlite3")
    with client.application.app_context():
        link = url_for(Purpose.UNSUBSCRIBE, Link("0" * 32))
    path = path.replace("/my-link", urlsplit(link).path)

    page = client.open(path, method=method, data={"email": ADA}, headers=BROWSER)

    assert page.status_code == 503
    assert "nicht ausgeführt" in page.text
    assert ('<a class="button" href="/?locale=de"' in page.text) is leads_back


@pytest.mark.requires("R71")
@pytest.mark.parametrize("headers", [{}, BROWSER])
def test_the_unexpected_is_answered_without_details(
    any_client: FlaskClient, headers: dict[str, str]
) -> None:
    answer = failing(any_client, RuntimeError(f"about {ADA}")).get("/", headers=headers)

    assert answer.status_code == 500
    assert "about" not in answer.text
    assert "Traceback" not in answer.text


def test_the_unexpected_is_logged_with_its_trace_but_without_addresses(
    any_client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(any_client, RuntimeError(f"about {ADA}")).get("/")

    logged = capsys.readouterr().err
    assert "Traceback" in logged
    assert "RuntimeError: about [redacted]" in logged
    assert ADA not in logged


@pytest.mark.parametrize(("given", "status"), [(418, 418), (414, 414), (502, 502)])
def test_other_http_errors_keep_their_status(
    any_client: FlaskClient, given: int, status: int
) -> None:
    def refuse() -> NoReturn:
        abort(given)

    any_client.application.view_functions["signup.form"] = refuse

    assert any_client.get("/").get_json()["status"] == status


def test_every_error_on_purpose_has_a_place_in_the_table() -> None:
    never_answered = {causes.SettingsError, causes.DeliveryFailure}
    never_answered |= {
        causes.WrongDocument,
        causes.NotRestored,
        causes.UnreleasedSchema,
        causes.PresentWording,
        causes.LostKeyring,
        causes.RestoredDatabase,
        causes.NotBegun,
        causes.UnreadableFile,
        causes.WrongPassphrase,
    }

    for kind in causes.NewsletterError.__subclasses__():
        if kind not in never_answered and kind.__module__.startswith("newsletter"):
            assert kind in errors._TABLE


def test_every_slug_of_the_table_has_words() -> None:
    assert {slug for _, slug in errors._TABLE.values()} <= set(TEXTS)


def test_the_database_away_is_one_line_in_the_log(
    client_with: ClientWith, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    away = client_with(DATABASE_URL="sqlite:////nowhere/newsletter.sqlite3")

    for _ in range(3):
        assert away.get("/").status_code == 503

    assert [(each.levelname, each.exc_info) for each in caplog.records] == [("WARNING", None)]


def test_the_apps_own_handler_is_the_only_one(app: Flask) -> None:
    assert list(app.error_handler_spec[None][None]) == [Exception]
