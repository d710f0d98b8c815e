"""The batch call: 200, and in the answer what became of each."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.mailchimp import StandIn
from tests.people import ADA, GRACE
from tests.sandbox.conftest import Call
from tests.sandbox.paths import LIST

Body = dict[str, Any]


def of(*emails: str, **more: object) -> Body:
    return {"members": [{"email_address": it, "status": "subscribed"} for it in emails], **more}


def test_the_new_are_created(mailchimp: StandIn, call: Call) -> None:
    answer = call("POST", LIST, of(ADA, GRACE)).json()

    assert [member["email_address"] for member in answer["new_members"]] == [ADA, GRACE]
    assert (answer["total_created"], answer["total_updated"], answer["error_count"]) == (2, 0, 0)
    assert set(mailchimp.contacts) == {ADA.lower(), GRACE}


def test_the_known_are_errors_unless_they_may_be_updated(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA, "unsubscribed")

    answer = call("POST", LIST, of(ADA))

    assert answer.status_code == 200
    error = answer.json()["errors"][0]
    assert error["error_code"] == "ERROR_CONTACT_EXISTS"
    assert error["error"] == (
        f"{ADA} is already a list member, do you want to update? "
        "please provide update_existing:true in the request body"
    )


def test_updating_overwrites_the_status(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA, "unsubscribed")

    answer = call("POST", LIST, of(ADA, update_existing=True)).json()

    assert answer["updated_members"][0]["status"] == "subscribed"


def test_one_failure_does_not_keep_the_others_out(mailchimp: StandIn, call: Call) -> None:
    mailchimp.forgotten.add(ADA)

    answer = call("POST", LIST, of(ADA, GRACE))

    assert answer.status_code == 200
    assert answer.json()["error_count"] == 1
    assert answer.json()["errors"][0]["email_address"] == ADA
    assert answer.json()["errors"][0]["error_code"] == "ERROR_GENERIC"
    assert answer.json()["errors"][0]["error"].startswith(f"{ADA} was permanently deleted")
    assert list(mailchimp.contacts) == [GRACE]


def test_the_compliance_state_holds_in_a_batch_too(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)
    mailchimp.unsubscribes(ADA)

    answer = call("POST", LIST, of(ADA, update_existing=True)).json()

    assert answer["errors"][0]["error"].startswith(f"{ADA} is in a compliance state")
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"


def test_what_is_no_address_is_an_error_of_its_own(call: Call) -> None:
    answer = call("POST", LIST, of("ada")).json()

    assert answer["errors"][0]["error"] == "Please provide a valid email address."


def test_a_new_member_without_a_status_is_an_error(call: Call) -> None:
    error = call("POST", LIST, {"members": [{"email_address": ADA}]}).json()["errors"][0]

    assert error["field"] == "status"
    assert error["field_message"] == "Required fields were not provided: status"


def test_a_twin_is_an_error_unless_it_is_skipped(call: Call) -> None:
    twins = call("POST", LIST, of(ADA, ADA.upper())).json()
    skipped = call("POST", f"{LIST}?skip_duplicate_check=true", of(GRACE, GRACE)).json()

    assert (twins["total_created"], twins["error_count"]) == (1, 1)
    assert (skipped["total_created"], skipped["error_count"]) == (1, 0)


def test_five_hundred_at_once_are_the_most(call: Call) -> None:
    most = [f"person{number}@example.com" for number in range(501)]

    too_many = call("POST", LIST, of(*most))

    assert too_many.status_code == 400
    assert too_many.json()["title"] == "Invalid Resource"
    assert call("POST", LIST, of(*most[:500])).json()["total_created"] == 500


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"members": {}}, "members"),
        ({"members": [], "replace": True}, "replace"),
        ({"members": ["ada"]}, "members.item:0"),
        (
            {"members": [{"email_address": "a@example.com", "status": "new"}]},
            "members.item:0.status",
        ),
    ],
)
def test_a_body_that_does_not_fit_is_refused_as_a_whole(call: Call, body: Body, field: str) -> None:
    answer = call("POST", LIST, body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
