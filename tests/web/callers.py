"""Browsers and programs, by the headers they send."""

from __future__ import annotations

from itertools import product

from flask.testing import FlaskClient

from tests.people import JSON

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SITE = "https://www.example.com"
FROM_SITE = {"Origin": SITE}
EVIL = "https://evil.example"


def statuses_of(client: FlaskClient, path: str) -> set[int]:
    """Open a page as browsers and programs do, and as those that only look where a link leads."""
    ways = product(["GET", "HEAD", "OPTIONS"], [BROWSER, JSON])
    return {client.open(path, method=method, headers=form).status_code for method, form in ways}
