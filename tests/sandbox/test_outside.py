"""What people, mail servers and staff do, and what webhooks say of it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
import time_machine

from sandbox.mailchimp import StandIn, WebhookCall
from tests.people import ADA, GRACE
from tests.sandbox.conftest import Listener

Act = Callable[[StandIn], list[WebhookCall]]


@pytest.fixture
def hooked(mailchimp: StandIn, listener: Listener) -> StandIn:
    """A stand-in with Ada that calls the listener for every event."""
    mailchimp.webhook_url = listener.url
    mailchimp.add(ADA, merge_fields={"FNAME": "Ada"}, ip_opt="192.0.2.1", ip_signup="192.0.2.2")
    return mailchimp


def said(call: WebhookCall) -> dict[str, str]:
    """A webhook's form, each field once."""
    fields = parse_qs(call.body.decode(), keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in fields.values())
    return {name: values[0] for name, values in fields.items()}


def test_leaving_is_reported_as_unsub_and_manual(hooked: StandIn) -> None:
    form = said(hooked.unsubscribes(ADA)[0])

    assert form.pop("fired_at")
    assert form.pop("data[web_id]").isdecimal()
    assert form == {
        "type": "unsubscribe",
        "data[action]": "unsub",
        "data[reason]": "manual",
        "data[id]": "3c1b5f0cb9",
        "data[email]": ADA,
        "data[email_type]": "html",
        "data[ip_opt]": "192.0.2.1",
        "data[merges][EMAIL]": ADA,
        "data[merges][FNAME]": "Ada",
        "data[merges][LNAME]": "",
        "data[list_id]": hooked.list_id,
    }


def test_leaving_through_a_campaign_names_it(hooked: StandIn) -> None:
    assert said(hooked.unsubscribes(ADA, campaign_id="4fjk2ma9xd")[0])["data[campaign_id]"]


def test_a_person_who_leaves_gets_the_compliance_state(hooked: StandIn) -> None:
    hooked.unsubscribes(ADA)

    assert hooked.contacts[ADA.lower()].status == "unsubscribed"
    assert hooked.in_compliance == {ADA.lower()}


@time_machine.travel("2026-11-22T10:04:05Z", tick=False)
def test_fired_at_is_utc_in_whole_seconds(hooked: StandIn) -> None:
    assert said(hooked.unsubscribes(ADA)[0])["fired_at"] == "2026-11-22 10:04:05"


def test_a_complaint_is_reported_as_abuse(hooked: StandIn) -> None:
    form = said(hooked.complains(ADA)[0])

    assert (form["type"], form["data[action]"]) == ("unsubscribe", "unsub")
    assert form["data[reason]"] == "abuse"
    assert hooked.in_compliance == {ADA.lower()}


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda standin: standin.hard_bounces(ADA), "hard"),
        (lambda standin: standin.complains(ADA, as_cleaned=True), "abuse"),
    ],
)
def test_cleaning_is_reported_without_an_id(hooked: StandIn, act: Act, reason: str) -> None:
    form = said(act(hooked)[0])

    assert form.pop("fired_at")
    assert form.pop("data[campaign_id]")
    assert form == {
        "type": "cleaned",
        "data[list_id]": hooked.list_id,
        "data[reason]": reason,
        "data[email]": ADA,
    }
    assert hooked.contacts[ADA.lower()].status == "cleaned"


def test_a_confirmation_at_mailchimp_ends_the_compliance_state(hooked: StandIn) -> None:
    hooked.unsubscribes(ADA)
    hooked.contacts[ADA.lower()].status = "pending"

    form = said(hooked.confirms_at_mailchimp(ADA)[0])

    assert (form["type"], form["data[ip_signup]"]) == ("subscribe", "192.0.2.2")
    assert hooked.contacts[ADA.lower()].status == "subscribed"
    assert hooked.in_compliance == set()


def test_only_pending_contacts_confirm(hooked: StandIn) -> None:
    with pytest.raises(LookupError):
        hooked.confirms_at_mailchimp(ADA)


@time_machine.travel("2026-11-22T10:04:05Z", tick=False)
def test_a_new_address_is_reported_twice_at_the_same_time(hooked: StandIn) -> None:
    moved, edited = map(said, hooked.changes_address(ADA, GRACE))

    assert moved == {
        "type": "upemail",
        "fired_at": "2026-11-22 10:04:05",
        "data[list_id]": hooked.list_id,
        "data[new_id]": edited["data[id]"],
        "data[new_email]": GRACE,
        "data[old_email]": ADA,
    }
    assert (edited["type"], edited["fired_at"]) == ("profile", "2026-11-22 10:04:05")
    assert "data[ip_signup]" not in edited
    assert list(hooked.contacts) == [GRACE]


def test_nobody_moves_to_an_address_that_is_taken(hooked: StandIn) -> None:
    hooked.add(GRACE)

    with pytest.raises(LookupError):
        hooked.changes_address(ADA, GRACE)


@pytest.mark.parametrize(
    ("act", "is_left"),
    [(lambda it: it.is_archived(ADA), True), (lambda it: it.is_deleted(ADA), False)],
)
def test_a_removal_is_reported_as_delete(hooked: StandIn, act: Act, is_left: bool) -> None:
    form = said(act(hooked)[0])

    assert (form["type"], form["data[action]"]) == ("unsubscribe", "delete")
    assert (ADA.lower() in hooked.contacts) is is_left
    assert (ADA in hooked.forgotten) is not is_left
    assert hooked.in_compliance == set()


def test_staff_unsubscribing_somebody_leads_to_no_compliance_state(hooked: StandIn) -> None:
    form = said(hooked.is_unsubscribed_by_staff(ADA)[0])

    assert form["data[action]"] == "unsub"
    assert hooked.contacts[ADA.lower()].unsubscribe_reason == "N/A (Unsubscribed by admin)"
    assert hooked.in_compliance == set()


def test_an_edit_of_a_contact_who_left_is_reported_as_profile(hooked: StandIn) -> None:
    hooked.unsubscribes(ADA)

    form = said(hooked.is_edited(ADA, LNAME="Lovelace")[0])

    assert (form["type"], form["data[merges][LNAME]"]) == ("profile", "Lovelace")
    assert hooked.contacts[ADA.lower()].status == "unsubscribed"


def test_mailchimps_own_form_brings_back_a_deleted_address(hooked: StandIn) -> None:
    hooked.is_deleted(ADA)

    form = said(hooked.signs_up_at_mailchimp(ADA)[0])

    assert form["type"] == "subscribe"
    assert hooked.contacts[ADA.lower()].status == "subscribed"
    assert hooked.contacts[ADA.lower()].source == "Hosted Signup Form"
    assert ADA not in hooked.forgotten


def test_a_stranger_can_do_nothing(hooked: StandIn) -> None:
    with pytest.raises(LookupError):
        hooked.unsubscribes(GRACE)


def test_without_a_webhook_there_is_no_call(mailchimp: StandIn) -> None:
    mailchimp.add(ADA)

    assert mailchimp.unsubscribes(ADA) == []
