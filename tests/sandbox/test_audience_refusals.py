"""Archiving, deleting for ever, moving, and whom Mailchimp does not take."""

from __future__ import annotations

import pytest

from sandbox.mailchimp import StandIn, id_of
from tests.people import ADA, GRACE
from tests.sandbox.conftest import Call
from tests.sandbox.paths import MEMBERS, path_of

NEW = {"email_address": ADA, "status_if_new": "subscribed", "status": "subscribed"}
FORGOTTEN = (
    f"{ADA} was permanently deleted and cannot be re-imported. The contact must re-subscribe to get "
    "back on the list."
)


def test_archiving_keeps_the_contact(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)

    answer = call("DELETE", path_of(ADA))

    assert (answer.status_code, answer.content) == (204, b"")
    assert call("GET", path_of(ADA)).json()["status"] == "archived"


@pytest.mark.parametrize("status", ["archived", "pending", "cleaned"])
def test_some_cannot_be_archived(mailchimp: StandIn, call: Call, status: str) -> None:
    mailchimp.add(ADA, status)

    answer = call("DELETE", path_of(ADA))

    assert answer.status_code == 405
    assert answer.json()["detail"] == (
        "This list member cannot be removed. "
        "Can not archive a contact that is bounced, pending or archived"
    )


def test_deleting_for_ever_answers_204_with_nothing(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)

    answer = call("POST", f"{path_of(ADA)}/actions/delete-permanent")

    assert (answer.status_code, answer.content) == (204, b"")
    assert ADA in mailchimp.forgotten
    assert call("GET", path_of(ADA)).status_code == 404


def test_deleting_for_ever_twice_is_not_found(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)
    call("POST", f"{path_of(ADA)}/actions/delete-permanent")

    assert call("POST", f"{path_of(ADA)}/actions/delete-permanent").status_code == 404


def test_deleting_for_ever_takes_the_hash_alone(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)

    assert call("POST", f"{MEMBERS}/{ADA}/actions/delete-permanent").status_code == 404
    assert ADA.lower() in mailchimp.contacts


@pytest.mark.parametrize("status", ["subscribed", "pending"])
def test_a_deleted_address_cannot_be_brought_back(
    mailchimp: StandIn, call: Call, status: str
) -> None:
    mailchimp.forgotten.add(ADA)

    problem = call("PUT", path_of(ADA), {"email_address": ADA, "status_if_new": status}).json()

    assert problem["title"] == "Forgotten Email Not Subscribed"
    assert (problem["status"], problem["detail"]) == (400, FORGOTTEN)


def test_some_domains_look_fake(call: Call) -> None:
    fake = "ada@mailinator.com"

    problem = call("PUT", path_of(fake), {**NEW, "email_address": fake}).json()

    assert problem["title"] == "Invalid Resource"
    assert problem["detail"] == (
        "ada@mailinator.com looks fake or invalid, please enter a real email address."
    )


def test_what_is_no_address_is_refused(call: Call) -> None:
    problem = call("POST", MEMBERS, {"email_address": "ada", "status": "subscribed"}).json()

    assert problem["detail"] == "Please provide a valid email address."


def test_who_is_on_too_many_lists_is_refused_for_now(mailchimp: StandIn, call: Call) -> None:
    mailchimp.audience.on_too_many_lists.add(ADA.lower())

    problem = call("PUT", path_of(ADA), NEW).json()

    assert problem["title"] == "Invalid Resource"
    assert problem["detail"] == (
        f"{ADA} has signed up to a lot of lists very recently; we're not allowing more signups for now"
    )


def test_a_required_merge_field_is_demanded_unless_it_is_skipped(
    mailchimp: StandIn, call: Call
) -> None:
    mailchimp.audience.required_merge_fields.add("LNAME")

    problem = call("PUT", path_of(ADA), NEW).json()
    skipped = call("PUT", f"{path_of(ADA)}?skip_merge_validation=True", NEW)

    assert problem["detail"] == "Your merge fields were invalid."
    assert problem["errors"] == [{"field": "LNAME", "message": "Please enter a value"}]
    assert skipped.status_code == 200


def test_another_address_moves_the_contact_to_another_id(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)

    answer = call("PATCH", path_of(ADA), {"email_address": GRACE}).json()

    assert answer["id"] == id_of(GRACE)
    assert list(mailchimp.contacts) == [GRACE]


def test_an_address_that_is_taken_cannot_be_moved_to(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)
    mailchimp.add(GRACE)

    problem = call("PUT", path_of(ADA), {"email_address": GRACE}).json()

    assert problem["title"] == "Member Exists"


def test_only_the_subscribed_can_be_moved(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA, "cleaned")

    problem = call("PATCH", path_of(ADA), {"email_address": GRACE}).json()

    assert problem["detail"] == (
        'This member\'s status is "cleaned." You can only update email addresses for members with a '
        'status of "subscribed."'
    )


def test_nobody_is_moved_to_an_address_that_was_forgotten(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)
    mailchimp.forgotten.add(GRACE)

    problem = call("PATCH", path_of(ADA), {"email_address": GRACE}).json()

    assert problem["title"] == "Forgotten Email Not Subscribed"
