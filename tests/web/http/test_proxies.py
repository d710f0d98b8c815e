"""TRUSTED_PROXIES and the path in PUBLIC_URL."""

from __future__ import annotations

import pytest
from flask import request
from flask.testing import FlaskClient

from newsletter.web.http.proxies import is_near
from tests.conftest import ClientWith
from tests.people import ADA
from tests.web.callers import BROWSER

UNDER_PATH = {
    "PUBLIC_URL": "https://www.example.com/news",
    "SMTP_URL": "smtp://mail.example.com",
}


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "10.0.0.1", "172.31.0.1", "::1", "fe80::1", "::ffff:10.0.0.1", "", None]
)
def test_our_own_machines_are_near(peer: str | None) -> None:
    assert is_near(peer)


@pytest.mark.parametrize("peer", ["203.0.113.7", "172.32.0.1", "2001:db8::1", "unknown"])
def test_others_are_not(peer: str) -> None:
    assert not is_near(peer)


def seen_by(client: FlaskClient, **headers: str) -> tuple[str | None, str]:
    with client:
        client.get("/health", headers={name.replace("_", "-"): v for name, v in headers.items()})
        return request.remote_addr, request.host


@pytest.mark.requires("R68")
def test_without_trust_no_header_is_believed(client_with: ClientWith) -> None:
    seen = seen_by(client_with(), X_Forwarded_For="203.0.113.7", X_Forwarded_Host="evil.example")

    assert seen == ("127.0.0.1", "localhost")


def test_a_trusted_proxy_is_believed_about_the_client_never_about_our_host(
    client_with: ClientWith,
) -> None:
    client = client_with(TRUSTED_PROXIES="2")
    chain = "9.9.9.9, 203.0.113.7, 10.0.0.1"

    seen = seen_by(client, X_Forwarded_For=chain, X_Forwarded_Host="evil.example, evil.example")

    assert seen == ("203.0.113.7", "localhost")


@pytest.mark.parametrize("prefix", ["", "/news"])
def test_a_service_under_a_path_has_its_endpoints_there(
    client_with: ClientWith, prefix: str
) -> None:
    client = client_with(**UNDER_PATH)

    page = client.get(f"{prefix}/", headers=BROWSER)
    answer = client.post(f"{prefix}/subscriptions", data={"email": ADA})

    assert 'action="/news/subscriptions"' in page.text
    assert 'href="/news/static/' in page.text
    assert answer.location == "/news/inbox?locale=de"


def test_a_path_that_only_begins_alike_is_another(client_with: ClientWith) -> None:
    assert client_with(**UNDER_PATH).get("/newsletter").status_code == 404


def test_the_path_itself_is_the_form(client_with: ClientWith) -> None:
    assert client_with(**UNDER_PATH).get("/news").status_code == 200
