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


def test_status_if_new_alone_leaves_an_unsubscribed_contact_with_200(
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


def test_a_contact_unsubscribed_by_api_can_be_subscribed_by_api(call: Call) -> None:
    call("PUT", path_of(ADA), NEW)
    left = call("PUT", path_of(ADA), {"status": "unsubscribed"}).json()

    back = call("PUT", path_of(ADA), NEW)

    assert left["unsubscribe_reason"] == "N/A (Unsubscribed by admin)"
    assert back.status_code == 200
    assert back.json()["status"] == "subscribed"
    assert "unsubscribe_reason" not in back.json()


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_contact_who_left_cannot_be_subscribed(
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


def test_a_contact_who_left_can_be_asked_by_mailchimp(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)
    mailchimp.unsubscribes(ADA)

    answers = [call("PUT", path_of(ADA), {"status": "pending"}).json()["status"] for _ in "12"]

    assert answers == ["pending", "pending"]
    assert mailchimp.audience.confirmation_mails == [ADA.lower()]


def test_a_contact_asked_by_mailchimp_still_cannot_be_subscribed(
    mailchimp: StandIn, call: Call
) -> None:
    mailchimp.add(ADA, "pending")
    mailchimp.in_compliance.add(ADA.lower())

    assert call("PATCH", path_of(ADA), {"status": "subscribed"}).json()["detail"] == COMPLIANCE


def test_a_contact_who_bounced_cannot_even_be_asked(mailchimp: StandIn, call: Call) -> None:
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
