"""The description as a page."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient


def test_the_page_loads_everything_from_our_own_origin(any_client: FlaskClient) -> None:
    page = any_client.get("/docs").text

    loaded = re.findall(r'(?:src|data-url|rel="stylesheet" href)="([^"]+)"', page)
    assert len(loaded) == 4
    assert all(url.startswith("/") for url in loaded)
    for url in loaded:
        with any_client.get(url) as answer:
            assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "has_scripts"), [("/docs", True), ("/", False), ("/problems", False)]
)
def test_only_this_page_may_run_scripts(
    any_client: FlaskClient, path: str, *, has_scripts: bool
) -> None:
    policy = any_client.get(path).headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none';")
    assert ("script-src" in policy) is has_scripts


def test_no_other_file_of_the_package_is_served(any_client: FlaskClient) -> None:
    assert any_client.get("/docs/../flask_swagger_ui.py").status_code == 404
    assert any_client.get("/docs/%2e%2e/flask_swagger_ui.py").status_code == 404
