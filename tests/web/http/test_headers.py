"""Headers on every answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.conftest import ClientWith
from tests.people import ADA, JSON, STAFF
from tests.web.callers import BROWSER, SITE

ANSWERS = [
    ("GET", "/"),
    ("GET", "/inbox"),
    ("GET", "/nowhere"),
    ("GET", "/confirm/nonsense"),
    ("GET", "/health"),
    ("GET", "/openapi.json"),
    ("POST", "/subscriptions"),
    ("DELETE", "/subscriptions"),
    ("OPTIONS", "/subscriptions"),
    ("GET", "/admin/erasures"),
    ("GET", "/webhooks/mailchimp/wrong"),
    ("GET", "/static/nowhere.css"),
]


@pytest.mark.requires("R8", "R73")
@pytest.mark.parametrize(("method", "path"), ANSWERS)
@pytest.mark.parametrize("headers", [BROWSER, JSON])
def test_every_answer_is_shut_in(
    any_client: FlaskClient, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = any_client.open(path, method=method, headers=headers)

    assert answer.headers["Cache-Control"] == "no-store, no-transform"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/", "/static/newsletter.css", "/static/embed.js", "/brand.css", "/docs", "/health"]
)
def test_no_proxy_may_rewrite_an_answer(any_client: FlaskClient, path: str) -> None:
    """One that hid e-mail addresses from robots (RFC 9111 § 5.2.2.6) rewrote the consent text."""
    with any_client.get(path) as answer:
        assert answer.cache_control.no_transform


@pytest.mark.requires("R8", "R73")
def test_the_policy_forbids_other_sources_and_framing(any_client: FlaskClient) -> None:
    assert any_client.get("/").headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def test_the_form_may_lead_on_to_allowed_sites(client_with: ClientWith) -> None:
    client = client_with(ALLOWED_ORIGINS=SITE)

    assert f"form-action 'self' {SITE};" in client.get("/").headers["Content-Security-Policy"]
    token_page = client.get("/unsubscribe/nonsense").headers["Content-Security-Policy"]
    assert "form-action 'self';" in token_page


@pytest.mark.requires("R8")
def test_a_page_loads_nothing_from_elsewhere(any_client: FlaskClient) -> None:
    loaded = re.findall(
        r'<(?:link|img|script|iframe)[^>]+(?:href|src)="([^"]+)"', any_client.get("/").text
    )

    assert loaded
    assert all(url.startswith("/static/") for url in loaded)


@pytest.mark.requires("R73")
def test_https_is_kept_where_the_service_has_it(client_with: ClientWith) -> None:
    client = client_with(
        PUBLIC_URL="https://newsletter.example.com", SMTP_URL="smtp://mail.example.com"
    )

    assert "max-age=31536000" in client.get("/").headers["Strict-Transport-Security"]


def test_http_on_this_machine_is_not_turned_into_https(any_client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in any_client.get("/").headers


def test_a_static_file_is_kept_under_the_hash_of_its_content(any_client: FlaskClient) -> None:
    url = re.findall(r'href="(/static/[^"]+\.css\?v=[0-9a-f]{12})"', any_client.get("/").text)[0]

    with any_client.get(url) as answer:
        assert answer.status_code == 200
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers


def test_a_page_that_names_no_file_that_is_there_is_noticed(any_client: FlaskClient) -> None:
    names = re.findall(r"/static/([^\"?]+)", any_client.get("/").text)

    assert all(
        (Path(any_client.application.static_folder or "") / name).is_file() for name in names
    )


@pytest.mark.parametrize(
    "path", ["/confirm//x", "/inbox//", "/%2F/evil.example", "/%2e%2e/", "/confirm/../"]
)
def test_no_path_is_redirected(any_client: FlaskClient, path: str) -> None:
    answer = any_client.get(path, base_url="http://evil.example")

    assert answer.status_code == 404
    assert "Location" not in answer.headers


@pytest.mark.requires("R74")
def test_nothing_is_built_from_the_host_header(any_client: FlaskClient) -> None:
    host = "http://evil.example"
    answers = [
        any_client.get("/", base_url=host),
        any_client.get("/nowhere", base_url=host),
        any_client.post("/subscriptions", data={"email": ADA}, base_url=host),
        any_client.post("/admin/erasures", json={"email": ADA}, headers=STAFF, base_url=host),
    ]

    assert not any("evil" in answer.text + str(answer.headers) for answer in answers)
