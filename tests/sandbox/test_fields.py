"""Bodies that do not fit are refused, field by field."""

from __future__ import annotations

import pytest

from tests.people import ADA
from tests.sandbox.conftest import Call
from tests.sandbox.paths import MEMBERS, WEBHOOKS, path_of

VALUES = "Data presented is not one of the accepted values: "


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "status",
            "confirmed",
            f"{VALUES}subscribed, unsubscribed, cleaned, pending, transactional.",
        ),
        (
            "status",
            "archived",
            f"{VALUES}subscribed, unsubscribed, cleaned, pending, transactional.",
        ),
        ("email_type", "plain", f"{VALUES}html, text."),
        ("email_address", 7, "Schema describes string, integer found instead"),
        ("language", None, "Schema describes string, NULL found instead"),
        ("vip", "yes", "Schema describes boolean, string found instead"),
        ("vip", 1.5, "Schema describes boolean, number found instead"),
        ("merge_fields", [], "Schema describes object, array found instead"),
        ("marketing_permissions", {}, "Schema describes array, object found instead"),
        ("ip_opt", "", "Please enter a valid IP address."),
        ("ip_signup", True, "Schema describes string, boolean found instead"),
        ("timestamp_opt", "yesterday", "Please enter a valid date."),
        ("tags", ["a"], "This field is not part of the schema."),
    ],
)
def test_a_wrong_field_is_named(call: Call, field: str, value: object, message: str) -> None:
    answer = call("PUT", path_of(ADA), {"status_if_new": "pending", field: value})

    assert answer.status_code == 400
    assert answer.json()["title"] == "Invalid Resource"
    assert answer.json()["detail"] == (
        "The resource submitted could not be validated. "
        "For field-specific details, see the 'errors' array."
    )
    assert answer.json()["errors"] == [{"field": field, "message": message}]


@pytest.mark.parametrize(
    ("body", "found"), [(b"null", "NULL"), (b"[]", "array"), (b"1", "integer")]
)
def test_a_body_is_an_object(call: Call, body: bytes, found: str) -> None:
    answer = call("PATCH", path_of(ADA), data=body, headers={"Content-Type": "application/json"})

    message = f"Schema describes object, {found} found instead"
    assert answer.json()["errors"] == [{"field": "", "message": message}]


def test_a_put_without_a_body_is_refused(call: Call) -> None:
    assert call("PUT", path_of(ADA)).status_code == 400


def test_a_patch_knows_no_status_if_new(call: Call) -> None:
    problem = call("PATCH", path_of(ADA), {"status_if_new": "subscribed"}).json()

    assert problem["errors"][0]["field"] == "status_if_new"


def test_a_post_demands_address_and_status(call: Call) -> None:
    problem = call("POST", MEMBERS, {}).json()

    message = "Required fields were not provided: email_address, status"
    assert problem["errors"] == [{"field": "", "message": message}]


def test_every_mistake_is_named_at_once(call: Call) -> None:
    body = {"url": 1, "events": {"open": True, "subscribe": "yes"}}

    problem = call("POST", WEBHOOKS, {**body, "url": "http://127.0.0.1:1/"}).json()

    fields = [error["field"] for error in problem["errors"]]
    assert fields == ["events.open", "events.subscribe"]
