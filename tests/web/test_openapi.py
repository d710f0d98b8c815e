"""The description of every door."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from newsletter.web.openapi import path_of

BY_ITSELF = {"HEAD", "OPTIONS"}


@pytest.fixture
def document(door: FlaskClient) -> dict[str, Any]:
    """The description as it is served."""
    served: dict[str, Any] = door.get("/openapi.json").get_json()
    return served


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_it_describes_every_door_and_no_other(door: FlaskClient, document: dict[str, Any]) -> None:
    there = {
        (path_of(rule), method)
        for rule in door.application.url_map.iter_rules()
        for method in (rule.methods or set()) - BY_ITSELF
    }

    described = {
        (path, method.upper()) for path, doors in document["paths"].items() for method in doors
    }
    assert described == there


def test_every_admin_door_asks_for_the_token(document: dict[str, Any]) -> None:
    for path, doors in document["paths"].items():
        for operation in doors.values():
            assert ("security" in operation) == path.startswith("/admin/")


def test_every_sign_up_comes_as_json_or_form(document: dict[str, Any]) -> None:
    body = document["paths"]["/subscriptions"]["post"]["requestBody"]["content"]

    assert set(body) == {
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }


def test_no_door_promises_a_410_to_mailchimp(document: dict[str, Any]) -> None:
    hook = document["paths"]["/webhooks/mailchimp/{secret}"]["post"]["responses"]

    assert "204" in hook
    assert "410" not in hook
