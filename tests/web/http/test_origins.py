"""ALLOWED_ORIGINS: CORS and `next`."""

from __future__ import annotations

import pytest

from newsletter.web.http.origins import origin_of
from tests.conftest import COMPANY, ClientWith
from tests.people import ADA
from tests.web.callers import EVIL, FROM_SITE, SITE


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://www.example.com/thanks?x=1#y", SITE),
        ("HTTPS://WWW.Example.COM:443", SITE),
        ("http://www.example.com:80/", "http://www.example.com"),
        ("https://www.example.com:8443", "https://www.example.com:8443"),
        ("https://bücher.example.com", "https://xn--bcher-kva.example.com"),
        ("http://[::1]:9000/x", "http://[::1]:9000"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "//www.example.com/x",
        "/thanks",
        "javascript:alert(1)",
        "ftp://www.example.com",
        "https://",
        "https://www.example.com@evil.example",
        "https://user@www.example.com",
        "https://www.example.com\\@evil.example",
        "https://www.example.com\r\nX: y",
        "https://www.exa\tmple.com",
        " https://www.example.com",
        "https://www.example.com:x",
        "https://[::1",
        "https://a..b",
    ],
)
def test_what_could_be_read_in_two_ways_has_no_origin(url: str) -> None:
    assert origin_of(url) is None


def test_a_preflight_from_an_allowed_site_lets_its_scripts_post_json(
    client_with: ClientWith,
) -> None:
    client = client_with(ALLOWED_ORIGINS=f"https://other.example, {SITE}")

    answer = client.options("/subscriptions", headers=FROM_SITE)

    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", [EVIL, "http://www.example.com", f"{SITE}:8443", f"{SITE}.evil.example", "null", "*"]
)
def test_any_other_site_gets_no_cors_headers(client_with: ClientWith, origin: str) -> None:
    client = client_with(ALLOWED_ORIGINS=SITE)

    answer = client.options("/subscriptions", headers={"Origin": origin})

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.vary.find("Origin") >= 0


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"note": "' + b"x" * 16 * 1024 + b'"}', "application/json", 413),
        (b"ada@example.org", "text/plain", 415),
        (b'{"email": "no address"}', "application/json", 422),
    ],
)
def test_a_script_may_read_what_was_wrong(
    client_with: ClientWith, body: bytes, content_type: str, status: int
) -> None:
    client = client_with(ALLOWED_ORIGINS=SITE)

    answer = client.post("/subscriptions", data=body, content_type=content_type, headers=FROM_SITE)

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert answer.vary.find("Origin") >= 0


@pytest.mark.parametrize(
    ("variables", "status"),
    [
        ({"CLIENT_LIMIT": "1 per 10 minutes"}, 429),
        ({"DATABASE_URL": "sqlite:////nowhere/newsletter.sqlite3"}, 503),
    ],
)
def test_a_script_may_read_when_to_come_back(
    client_with: ClientWith, variables: dict[str, str], status: int
) -> None:
    client = client_with(ALLOWED_ORIGINS=SITE, **variables)

    client.post("/subscriptions", json={"email": ADA}, headers=FROM_SITE)
    answer = client.post("/subscriptions", json={"email": ADA}, headers=FROM_SITE)

    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize("path", ["/", "/health", "/openapi.json", "/admin/access"])
def test_no_other_endpoint_has_cors_headers(client_with: ClientWith, path: str) -> None:
    client = client_with(ALLOWED_ORIGINS=SITE)

    answer = client.get(path, headers=FROM_SITE)

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_without_allowed_origins_no_site_is_allowed(client_with: ClientWith) -> None:
    answer = client_with().options("/subscriptions", headers=FROM_SITE)

    assert "ALLOWED_ORIGINS" not in COMPANY
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [("https://www.xn--strae-test-83a.de", True), ("https://www.strasse-test.de", False)],
)
def test_an_international_domain_matches_only_itself(
    client_with: ClientWith, origin: str, is_allowed: bool
) -> None:
    client = client_with(ALLOWED_ORIGINS="https://www.straße-test.de")

    answer = client.options("/subscriptions", headers={"Origin": origin})
    page = client.post("/subscriptions", data={"email": ADA, "next": f"{origin}/danke"})

    assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is is_allowed
    assert (page.location == f"{origin}/danke") is is_allowed


@pytest.mark.parametrize(
    ("page", "location"),
    [
        ("https://www.straße-test.de/danke?a=b#c", "/danke?a=b#c"),
        ("HTTPS://WWW.STRAßE-TEST.DE:443", ""),
        ("https://www.straße-test.de//evil.example/x", "//evil.example/x"),
        ("https://www.straße-test.de?x=https://evil.example", "?x=https://evil.example"),
    ],
)
def test_a_person_is_sent_to_the_very_site_that_is_allowed(
    client_with: ClientWith, page: str, location: str
) -> None:
    client = client_with(ALLOWED_ORIGINS="https://www.straße-test.de")

    answer = client.post("/subscriptions", data={"email": ADA, "next": page})

    assert answer.location == f"https://www.xn--strae-test-83a.de{location}"
