"""JSON for programs, pages for people."""

from __future__ import annotations

import pytest
from flask import Flask

from newsletter.web.http import negotiation
from tests.web.callers import BROWSER

app = Flask(__name__)


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "application/problem+json",
        "application/json, text/plain, */*",
        "application/json;q=0.9, text/html;q=0.8",
        "APPLICATION/JSON;charset=utf-8",
    ],
)
def test_an_accept_that_prefers_json_by_name_means_json(accept: str) -> None:
    with app.test_request_context("/", headers={"Accept": accept}):
        assert negotiation.wants_json()


@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "text/html", BROWSER["Accept"], "text/html, application/json", "nonsense;q=x"],
)
def test_any_other_accept_does_not_mean_json(accept: str) -> None:
    with app.test_request_context("/", headers={"Accept": accept}):
        assert not negotiation.wants_json()


def test_a_json_body_means_json_whatever_is_accepted() -> None:
    with app.test_request_context("/", method="POST", json={}, headers=BROWSER):
        assert negotiation.wants_json()


def test_a_browsers_errors_are_pages() -> None:
    with app.test_request_context("/", headers=BROWSER):
        assert negotiation.wants_page()


@pytest.mark.parametrize("accept", ["", "*/*", "text/*", "application/json", "text/html;q=0"])
def test_errors_are_pages_only_if_accept_names_html(accept: str) -> None:
    with app.test_request_context("/", headers={"Accept": accept}):
        assert not negotiation.wants_page()
