"""Calling webhooks: form-encoded, signed, tried again, given up at 410."""

from __future__ import annotations

import hashlib
import hmac
import time

import pytest

from sandbox.mailchimp import StandIn
from tests.people import ADA
from tests.sandbox.conftest import Call, Listener
from tests.sandbox.paths import WEBHOOKS, path_of
from tests.sandbox.test_webhooks import ALL


@pytest.fixture
def hooked(mailchimp: StandIn, listener: Listener) -> StandIn:
    """A stand-in with Ada that calls the listener for every event."""
    mailchimp.webhook_url = listener.url
    mailchimp.add(ADA)
    return mailchimp


def test_a_call_is_a_form_with_encoded_brackets(hooked: StandIn, listener: Listener) -> None:
    hooked.unsubscribes(ADA)

    method, headers, body = listener.got[0]
    assert (method, headers["user-agent"]) == ("POST", "MailChimp.com")
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert b"data%5Bmerges%5D%5BEMAIL%5D=Ada%40Example.org" in body


def test_an_act_returns_the_calls_and_their_answers(hooked: StandIn, listener: Listener) -> None:
    calls = hooked.unsubscribes(ADA)

    assert [(call.type, call.status) for call in calls] == [("unsubscribe", 204)]
    assert hooked.webhook_calls == calls


def test_without_a_secret_nothing_is_signed(hooked: StandIn, listener: Listener) -> None:
    hooked.unsubscribes(ADA)

    assert "x-mailchimp-signature" not in listener.got[0][1]


def test_the_signature_covers_time_and_body(hooked: StandIn, listener: Listener) -> None:
    hooked.signing_secret = "s3cret"

    hooked.unsubscribes(ADA)

    _, headers, body = listener.got[0]
    stamp, v1 = headers["x-mailchimp-signature"].split(",")
    signed = stamp.removeprefix("t=").encode() + b"." + body
    assert v1 == f"v1={hmac.new(b's3cret', signed, hashlib.sha256).hexdigest()}"
    assert abs(int(stamp.removeprefix("t=")) - time.time()) < 5


def test_the_secret_outlives_a_change_of_url(hooked: StandIn) -> None:
    hooked.signing_secret = "s3cret"

    hooked.webhook_url = "http://127.0.0.1:1/"

    assert hooked.signing_secret == "s3cret"


def test_a_failed_call_is_made_three_times_with_the_same_body(
    hooked: StandIn, listener: Listener
) -> None:
    listener.answers = [500]

    calls = hooked.unsubscribes(ADA)

    assert [call.status for call in calls] == [500, 500, 500]
    assert len({body for _, _, body in listener.got}) == 1


def test_a_call_that_is_accepted_at_last_is_not_repeated(
    hooked: StandIn, listener: Listener
) -> None:
    listener.answers = [503, 204, 204]

    assert [call.status for call in hooked.unsubscribes(ADA)] == [503, 204]


def test_without_a_listener_there_is_no_status(hooked: StandIn) -> None:
    hooked.webhook_url = "http://127.0.0.1:1/"

    assert [call.status for call in hooked.unsubscribes(ADA)] == [None, None, None]


def test_410_ends_the_webhook(hooked: StandIn, listener: Listener) -> None:
    listener.answers = [410]

    gone = [call.status for call in hooked.unsubscribes(ADA)]

    assert gone == [410]
    assert hooked.webhook_url is None
    assert hooked.is_edited(ADA) == []


def test_stopping_ends_the_wait_between_tries(hooked: StandIn, listener: Listener) -> None:
    listener.answers = [500]
    hooked.hooks.retry_after_seconds = 60.0
    hooked.hooks.stopping.set()

    assert len(hooked.unsubscribes(ADA)) == 1


def test_a_registered_webhook_is_signed_with_its_own_secret(
    mailchimp: StandIn, call: Call, listener: Listener
) -> None:
    secret = call("POST", WEBHOOKS, {"url": listener.url, **ALL}).json()["signing_secret"]
    mailchimp.add(ADA)

    mailchimp.unsubscribes(ADA)

    _, headers, body = listener.got[-1]
    stamp, v1 = headers["x-mailchimp-signature"].split(",")
    signed = stamp.removeprefix("t=").encode() + b"." + body
    assert v1 == f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def test_a_url_set_by_hand_and_registered_is_called_once(
    hooked: StandIn, call: Call, listener: Listener
) -> None:
    call("POST", WEBHOOKS, {"url": listener.url, **ALL})

    assert len(hooked.unsubscribes(ADA)) == 1


@pytest.mark.parametrize(
    "less", [{"events": {**ALL["events"], "unsubscribe": False}}, {"sources": {"user": False}}]
)
def test_a_webhook_gets_only_its_events(
    mailchimp: StandIn, call: Call, listener: Listener, less: dict[str, object]
) -> None:
    call("POST", WEBHOOKS, {"url": listener.url, **ALL, **less})
    mailchimp.add(ADA)

    assert mailchimp.unsubscribes(ADA) == []


def test_api_calls_are_reported_only_where_api_is_a_source(
    mailchimp: StandIn, call: Call, listener: Listener
) -> None:
    made = call("POST", WEBHOOKS, {"url": listener.url, **ALL}).json()
    call("PUT", path_of(ADA), {"email_address": ADA, "status_if_new": "subscribed"})
    call("PATCH", f"{WEBHOOKS}/{made['id']}", {"sources": {"api": True}})

    call("PATCH", path_of(ADA), {"status": "unsubscribed"})

    mailchimp.wait_for(lambda: mailchimp.webhook_calls)
    assert [call.type for call in mailchimp.webhook_calls] == ["unsubscribe"]
