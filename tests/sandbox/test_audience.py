"""One contact's way through the API: created, changed, archived, deleted for ever."""

from __future__ import annotations

import pytest

from sandbox.mailchimp import StandIn, id_of
from tests.people import ADA, GRACE
from tests.sandbox.conftest import Call
from tests.sandbox.paths import MEMBERS, path_of

NEW = {"email_address": ADA, "status_if_new": "subscribed", "status": "subscribed"}
COMPLIANCE = (
    f"{ADA} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be "
    "subscribed."
)
FORGOTTEN = (
    f"{ADA} was permanently deleted and cannot be re-imported. The contact must re-subscribe to get "
    "back on the list."
)


def test_a_put_creates_a_contact_with_everything_that_was_sent(call: Call) -> None:
    evidence = {"ip_opt": "192.0.2.9", "timestamp_opt": "2026-09-13T12:04:00+02:00"}
    signup = {"ip_signup": "2001:db8::1", "timestamp_signup": "2026-09-13 10:00:00"}

    answer = call("PUT", path_of(ADA), {**NEW, **evidence, **signup, "language": "de"}).json()

    assert answer["id"] == id_of(ADA) == "5bfcf2d8e394674550332640d72db509"
    assert answer["email_address"] == ADA
    assert answer["status"] == "subscribed"
    assert (answer["ip_opt"], answer["timestamp_opt"]) == ("192.0.2.9", "2026-09-13T10:04:00+00:00")
    assert answer["timestamp_signup"] == "2026-09-13T10:00:00+00:00"
    assert (answer["language"], answer["list_id"]) == ("de", "a1b2c3d4e5")


def test_without_evidence_the_callers_ip_and_this_moment_are_recorded(call: Call) -> None:
    answer = call("PUT", path_of(ADA), NEW).json()

    assert answer["ip_opt"] == "127.0.0.1"
    assert answer["timestamp_opt"] == answer["last_changed"]
    assert answer["ip_signup"] == answer["timestamp_signup"] == answer["language"] == ""


def test_evidence_is_renewed_when_somebody_comes_back_without_any(
    mailchimp: StandIn, call: Call
) -> None:
    mailchimp.add(ADA, "unsubscribed", timestamp_opt="2020-01-01T00:00:00+00:00")

    answer = call("PUT", path_of(ADA), NEW).json()

    assert answer["timestamp_opt"] == answer["last_changed"]


def test_status_if_new_is_demanded_where_a_put_creates(call: Call) -> None:
    problem = call("PUT", path_of(ADA), {"email_address": ADA, "status": "subscribed"}).json()

    assert problem["title"] == "Invalid Resource"
    assert problem["errors"] == [
        {"field": "", "message": "Required fields were not provided: status_if_new"}
    ]


def test_an_address_is_demanded_where_a_put_creates(call: Call) -> None:
    problem = call("PUT", path_of(ADA), {"status_if_new": "subscribed"}).json()

    assert problem["errors"][0]["message"] == "Required fields were not provided: email_address"


def test_a_put_to_the_hash_of_somebody_else_creates_nobody(mailchimp: StandIn, call: Call) -> None:
    answer = call("PUT", path_of(GRACE), NEW)

    assert answer.status_code == 400
    assert mailchimp.contacts == {}


def test_status_if_new_alone_leaves_who_is_unsubscribed_with_200(
    mailchimp: StandIn, call: Call
) -> None:
    mailchimp.add(ADA, "unsubscribed")

    answer = call("PUT", path_of(ADA), {"email_address": ADA, "status_if_new": "subscribed"})

    assert answer.status_code == 200
    assert answer.json()["status"] == "unsubscribed"


@pytest.mark.parametrize("status", ["cleaned", "pending", "archived"])
def test_status_if_new_alone_changes_no_other_status_either(
    mailchimp: StandIn, call: Call, status: str
) -> None:
    mailchimp.add(ADA, status)

    answer = call("PUT", path_of(ADA), {"email_address": ADA, "status_if_new": "subscribed"})

    assert answer.json()["status"] == status


def test_who_was_unsubscribed_by_api_can_be_subscribed_by_api(call: Call) -> None:
    call("PUT", path_of(ADA), NEW)
    left = call("PUT", path_of(ADA), {"status": "unsubscribed"}).json()

    back = call("PUT", path_of(ADA), NEW)

    assert left["unsubscribe_reason"] == "N/A (Unsubscribed by admin)"
    assert back.status_code == 200
    assert back.json()["status"] == "subscribed"
    assert "unsubscribe_reason" not in back.json()


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_who_left_by_themselves_cannot_be_subscribed(
    mailchimp: StandIn, call: Call, method: str
) -> None:
    mailchimp.add(ADA)
    mailchimp.unsubscribes(ADA)

    problem = call(method, path_of(ADA), {"email_address": ADA, "status": "subscribed"}).json()

    assert problem.pop("instance")
    assert problem == {
        "title": "Member In Compliance State",
        "status": 400,
        "detail": COMPLIANCE,
    }


def test_who_left_by_themselves_can_be_asked_by_mailchimp(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)
    mailchimp.unsubscribes(ADA)

    answers = [call("PUT", path_of(ADA), {"status": "pending"}).json()["status"] for _ in "12"]

    assert answers == ["pending", "pending"]
    assert mailchimp.audience.confirmation_mails == [ADA.lower()]


def test_who_is_asked_by_mailchimp_still_cannot_be_subscribed(
    mailchimp: StandIn, call: Call
) -> None:
    mailchimp.add(ADA, "pending")
    mailchimp.in_compliance.add(ADA.lower())

    assert call("PATCH", path_of(ADA), {"status": "subscribed"}).json()["detail"] == COMPLIANCE


def test_who_bounced_cannot_even_be_asked(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)
    mailchimp.hard_bounces(ADA)

    assert call("PATCH", path_of(ADA), {"status": "pending"}).json()["detail"] == COMPLIANCE


def test_a_patch_changes_what_is_sent_and_nothing_else(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA, merge_fields={"FNAME": "Ada"})

    answer = call("PATCH", path_of(ADA), {"merge_fields": {"LNAME": "Lovelace"}}).json()

    assert answer["merge_fields"] == {"FNAME": "Ada", "LNAME": "Lovelace"}
    assert answer["full_name"] == "Ada Lovelace"
    assert answer["status"] == "subscribed"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_stranger_is_not_found(call: Call, method: str) -> None:
    body = {"status": "unsubscribed"} if method == "PATCH" else None

    assert call(method, path_of(ADA), body).status_code == 404


def test_a_contact_is_found_by_address_too(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)

    assert call("GET", f"{MEMBERS}/{ADA.upper()}").json()["id"] == id_of(ADA)


def test_a_post_of_somebody_known_is_refused(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)

    problem = call("POST", MEMBERS, {"email_address": ADA, "status": "subscribed"}).json()

    assert problem["title"] == "Member Exists"
    detail = f"{ADA} is already a list member. Use PUT to insert or update list members."
    assert problem["detail"] == detail


def test_a_post_brings_back_the_archived(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA, "archived")

    answer = call("POST", MEMBERS, {"email_address": ADA, "status": "subscribed"})

    assert answer.json()["status"] == "subscribed"


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
def test_the_forgotten_cannot_be_brought_back(mailchimp: StandIn, call: Call, status: str) -> None:
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
