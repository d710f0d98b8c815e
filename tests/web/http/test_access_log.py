"""One log line per request."""

from __future__ import annotations

import logging
import re

import pytest
from flask.testing import FlaskClient

from tests.people import ADA, WEBHOOK_SECRET

LOG = "newsletter.web.http.access_log"


def line_of(caplog: pytest.LogCaptureFixture) -> str:
    (message,) = [record.getMessage() for record in caplog.records if record.name == LOG]
    return re.sub(r"\d+ ms$", "… ms", message)


@pytest.mark.parametrize(
    ("method", "path", "line"),
    [
        ("GET", "/health", "GET /health 200 … ms"),
        ("POST", "/confirm/secret-token", "POST /confirm/<token> 404 … ms"),
        ("GET", "/my-data/secret-token", "GET /my-data/<token> 404 … ms"),
        (
            "GET",
            f"/webhooks/mailchimp/{WEBHOOK_SECRET}",
            "GET /webhooks/mailchimp/<secret> 200 … ms",
        ),
        ("GET", f"/{ADA}?email={ADA}", "GET - 404 … ms"),
        ("DELETE", "/subscriptions", "DELETE - 405 … ms"),
        (ADA.upper(), "/health", "- - 405 … ms"),
        ("POST", "/admin/access", "POST /admin/access 401 … ms"),
    ],
)
def test_a_request_is_one_line_with_its_rule(
    any_client: FlaskClient, caplog: pytest.LogCaptureFixture, method: str, path: str, line: str
) -> None:
    caplog.set_level(logging.INFO, LOG)

    any_client.open(
        path, method=method, headers={"User-Agent": "curious", "Referer": "http://x.example"}
    )

    assert line_of(caplog) == line
