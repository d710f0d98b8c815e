"""What Mailchimp's webhooks mean, row by row, called over HTTP as Mailchimp does, signed."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.storage.database import reading
from newsletter.storage.models import Subscription
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.hooks import WebhookCall
from tests.cli.check.conftest import Web
from tests.conftest import ClientWith, Drain, Join
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    WEBHOOK_SECRET,
    access,
    ask_staff,
    events_of,
    status_of,
)

SIGNING_SECRET = "signs-calls-in-the-tests-0123456789abcdef"
URL = f"/webhooks/mailchimp/{WEBHOOK_SECRET}"
LIST = "a1b2c3d4e5"  #: the stand-in's audience
EARLY, LATE = "2020-01-01 12:00:00", "2099-01-01 12:00:00"

Happens = Callable[[StandIn], list[WebhookCall]]


@pytest.fixture
def environ(environ: dict[str, Any]) -> dict[str, Any]:
    """The service asks for signatures."""
    return {**environ, "MAILCHIMP_SIGNING_SECRET": SIGNING_SECRET}


@pytest.fixture
def hooked(app: Flask, mailchimp: StandIn) -> Iterator[StandIn]:
    """A Mailchimp that calls the service over HTTP, and signs."""
    web = Web()
    mailchimp.signing_secret = SIGNING_SECRET
    mailchimp.webhook_url = f"{web.url}{URL}"
    with web.serving(app):
        yield mailchimp


def in_form(kind: str, fired_at: str = LATE, **data: str) -> bytes:
    """A call's body on the wire: PHP's nested names, their brackets percent-encoded."""
    fields = {"type": kind, "fired_at": fired_at}
    fields |= {f"data[{name}]": value for name, value in {"list_id": LIST, **data}.items()}
    pairs = (f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields.items())
    return "&".join(pairs).encode()


def v1_of(body: bytes, secret: str = SIGNING_SECRET, at: int = 1700000000) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def post(client: FlaskClient, body: bytes, signature: str | None = None, url: str = URL) -> int:
    """Call, rightly signed unless it is said how; the status of the answer."""
    right = f"t=1700000000,v1={v1_of(body)}"
    headers = {"X-Mailchimp-Signature": right if signature is None else signature}
    form = "application/x-www-form-urlencoded"
    return client.post(url, data=body, content_type=form, headers=headers).status_code


# Each row of what they mean, as it comes about at Mailchimp


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        pytest.param(lambda it: it.unsubscribes(ADA), "unsubscribed", id="unsub, manual"),
        pytest.param(
            lambda it: it.unsubscribes(ADA, campaign_id="4fjk2ma9xd"),
            "unsubscribed",
            id="unsub, from a campaign",
        ),
        pytest.param(
            lambda it: it.is_unsubscribed_by_staff(ADA), "unsubscribed", id="unsub, by staff there"
        ),
        pytest.param(lambda it: it.complains(ADA), "complaint", id="unsubscribe, abuse"),
        pytest.param(
            lambda it: it.complains(ADA, as_cleaned=True), "complaint", id="cleaned, abuse"
        ),
        pytest.param(lambda it: it.hard_bounces(ADA), "bounce", id="cleaned, hard"),
        pytest.param(lambda it: it.is_archived(ADA), "removed_at_mailchimp", id="delete, archived"),
        pytest.param(lambda it: it.is_deleted(ADA), "removed_at_mailchimp", id="delete, for ever"),
        pytest.param(lambda it: it.changes_address(ADA, GRACE), "rectified", id="upemail"),
    ],
)
def test_what_happens_there_blocks_here_at_the_first_call(
    client: FlaskClient, hooked: StandIn, join: Join, happens: Happens, reason: str
) -> None:
    join(ADA)

    calls = happens(hooked)

    assert {call.status for call in calls} == {204}
    assert access(client, ADA)["reason"] == reason


def test_a_new_address_gets_an_email_and_is_unsubscribed_there_until_it_confirms(
    client: FlaskClient, hooked: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)

    calls = hooked.changes_address(ADA, GRACE)
    drain()

    assert [call.type for call in calls] == ["upemail", "profile"]
    assert status_of(client, GRACE) == "pending"
    assert "mail_sent" in events_of(client, GRACE)
    assert hooked.contacts[GRACE].status == "unsubscribed"


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(lambda it: it.signs_up_at_mailchimp(HEDY), id="subscribe"),
        pytest.param(lambda it: it.add(HEDY) and it.is_edited(HEDY, FNAME="H"), id="profile"),
        pytest.param(lambda it: it.add(HEDY) and it.unsubscribes(HEDY), id="unsub"),
        pytest.param(lambda it: it.add(HEDY) and it.complains(HEDY), id="abuse"),
        pytest.param(lambda it: it.add(HEDY) and it.hard_bounces(HEDY), id="hard"),
        pytest.param(lambda it: it.add(HEDY) and it.is_archived(HEDY), id="delete"),
        pytest.param(lambda it: it.add(HEDY) and it.changes_address(HEDY, GRACE), id="upemail"),
    ],
)
def test_a_call_about_an_unknown_address_creates_no_subscription(
    app: Flask, client: FlaskClient, hooked: StandIn, drain: Drain, happens: Happens
) -> None:
    calls = happens(hooked)
    asked_before = len(hooked.calls)
    drain()

    assert {call.status for call in calls} == {204}
    with app.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscription)) == 0
    assert hooked.calls[asked_before:] == []


def test_an_edited_profile_never_unblocks(
    client: FlaskClient, hooked: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    hooked.unsubscribes(ADA)

    hooked.is_edited(ADA, FNAME="Ada")
    drain()

    assert access(client, ADA)["reason"] == "unsubscribed"
    assert hooked.contacts[ADA.lower()].status == "unsubscribed"


@pytest.mark.requires("R47")
def test_a_blocked_person_who_subscribes_there_is_unsubscribed_there(
    client: FlaskClient, hooked: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    drain()

    hooked.signs_up_at_mailchimp(ADA)
    drain()

    assert status_of(client, ADA) == "blocked"
    assert hooked.contacts[ADA.lower()].status == "unsubscribed"


def test_a_call_about_an_erased_person_is_accepted_and_changes_nothing(
    client: FlaskClient, hooked: StandIn, join: Join
) -> None:
    join(ADA)
    ask_staff(client, "erasures", ADA)

    calls = hooked.unsubscribes(ADA)

    assert [call.status for call in calls] == [204]
    assert access(client, ADA)["status"] == "erasing"


# The wire

#: Mailchimp's own example of a call, with our audience and somebody of ours in it.
EXAMPLE = (
    b"type=unsubscribe&fired_at=2099-03-26+21%3A40%3A57&data%5Baction%5D=unsub&data%5Breason%5D=manual"
    b"&data%5Bid%5D=8a25ff1d98&data%5Blist_id%5D=a1b2c3d4e5&data%5Bemail%5D=ADA%40example.ORG"
    b"&data%5Bemail_type%5D=html&data%5Bmerges%5D%5BEMAIL%5D=somebody-else%40example.net"
    b"&data%5Bmerges%5D%5BFNAME%5D=Ada&data%5Bmerges%5D%5BLNAME%5D=K%C3%B6nig"
    b"&data%5Bmerges%5D%5BINTERESTS%5D=Group1%2CGroup2&data%5Bip_opt%5D=10.20.10.30"
    b"&data%5Bcampaign_id%5D=cb398d21d2"
)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(EXAMPLE, id="percent-encoded"),
        pytest.param(EXAMPLE.replace(b"%5B", b"%5b").replace(b"%5D", b"%5d"), id="in lower case"),
        pytest.param(EXAMPLE.replace(b"%5B", b"[").replace(b"%5D", b"]"), id="not encoded"),
        pytest.param(b"&".join(reversed(EXAMPLE.split(b"&"))), id="in another order"),
    ],
)
def test_the_example_of_mailchimps_documentation_is_understood(
    client: FlaskClient, join: Join, body: bytes
) -> None:
    join(ADA)

    assert post(client, body) == 204
    assert access(client, ADA)["reason"] == "unsubscribed"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(EXAMPLE.replace(b"a1b2c3d4e5", b"a6b5da1054"), id="another audience"),
        pytest.param(EXAMPLE.replace(b"type=unsub", b"type=Unsub"), id="another type"),
        pytest.param(EXAMPLE.replace(b"ADA%40", b"%00%40"), id="no address"),
        pytest.param(EXAMPLE.replace(b"%5Bemail%5D", b"%5Bmail%5D"), id="no such field"),
        pytest.param(b'{"type": "unsubscribe"}', id="JSON"),
    ],
)
def test_a_call_about_another_audience_or_type_is_accepted_and_changes_nothing(
    client: FlaskClient, join: Join, body: bytes
) -> None:
    join(ADA)

    assert post(client, body) == 204
    assert status_of(client, ADA) == "confirmed"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(EXAMPLE.replace(b"list_id", b"list"), id="no audience"),
        pytest.param(EXAMPLE.replace(b"=a1b2c3d4e5", b"="), id="an empty one"),
        pytest.param(EXAMPLE.replace(b"=unsub&", b"=archive&"), id="an action nobody knows"),
        pytest.param(in_form("cleaned", reason="soft", email=ADA), id="a reason nobody knows"),
        pytest.param(in_form("upemail", list_id="", old_email=ADA, new_email=GRACE), id="upemail"),
    ],
)
@pytest.mark.parametrize("has_left", [True, False])
def test_a_call_that_does_not_say_enough_is_looked_up(
    client: FlaskClient, join: Join, mailchimp: StandIn, drain: Drain, body: bytes, has_left: bool
) -> None:
    join(ADA)
    if has_left:
        mailchimp.contacts[ADA.lower()].status = "unsubscribed"

    assert post(client, body) == 204
    assert status_of(client, ADA) == "confirmed"
    drain()

    assert status_of(client, ADA) == ("blocked" if has_left else "confirmed")
    assert status_of(client, GRACE) == "unknown"


# Twice, late, and in any order


@pytest.mark.parametrize(
    "call",
    [
        in_form("unsubscribe", action="unsub", reason="manual", email=ADA),
        in_form("unsubscribe", action="unsub", reason="abuse", email=ADA),
        in_form("unsubscribe", action="delete", reason="manual", email=ADA),
        in_form("cleaned", reason="hard", email=ADA),
        in_form("cleaned", reason="abuse", email=ADA),
        in_form("upemail", old_email=ADA, new_email=GRACE),
        in_form("subscribe", email=ADA),
        in_form("profile", email=ADA),
    ],
)
def test_a_call_repeated_is_one_call(client: FlaskClient, join: Join, call: bytes) -> None:
    join(ADA)
    post(client, call)
    after_one = [events_of(client, ADA), access(client, ADA)["mailchimp"]]

    assert {post(client, call) for _ in range(3)} == {204}

    assert [events_of(client, ADA), access(client, ADA)["mailchimp"]] == after_one


#: Any two of them come in both orders, and each comes first and last.
CALLS = deque(
    [
        in_form("subscribe", EARLY, email=ADA),
        in_form("unsubscribe", "2099-01-01 12:00:00", action="unsub", email=ADA),
        in_form("profile", "2099-01-01 12:00:01", email=ADA),
        in_form("unsubscribe", EARLY, action="delete", email=ADA),
    ]
)


@pytest.mark.requires("R49")
@pytest.mark.parametrize("turns", range(len(CALLS)))
def test_an_unsubscribe_blocks_in_any_order_of_calls(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, turns: int
) -> None:
    order = CALLS.copy()
    order.rotate(turns)
    join(ADA)
    mailchimp.unsubscribes(ADA)

    assert {post(client, call) for call in order} == {204}
    drain()

    assert access(client, ADA)["reason"] == "unsubscribed"
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"


def test_late_calls_do_not_end_a_newer_confirmation(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)

    for call in (
        in_form("unsubscribe", EARLY, action="unsub", email=ADA),
        in_form("cleaned", EARLY, reason="hard", email=ADA),
        in_form("upemail", EARLY, old_email=ADA, new_email=GRACE),
    ):
        assert post(client, call) == 204
    drain()

    assert (status_of(client, ADA), status_of(client, GRACE)) == ("confirmed", "unknown")
    assert mailchimp.contacts[ADA.lower()].status == "subscribed"


# A flood

KINDS = [
    {"kind": "profile"},
    {"kind": "subscribe"},
    {"kind": "unsubscribe", "fired_at": EARLY},
    {"kind": "cleaned", "reason": "hard", "fired_at": EARLY},
    {"kind": "unsubscribe", "action": "delete", "fired_at": EARLY},
]


def test_many_calls_cause_one_lookup(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    mailchimp.calls.clear()
    people = [ADA, GRACE]

    flood = [
        post(client, in_form(**KINDS[number % len(KINDS)], email=people[number % len(people)]))
        for number in range(500)
    ]

    assert flood == [204] * 500
    assert mailchimp.calls == []
    drain()
    assert [call.method for call in mailchimp.calls] == ["GET"]
    assert status_of(client, ADA) == "confirmed"


# The signature, and the secret

BODY = in_form("unsubscribe", action="unsub", email=ADA)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(f"t=1700000000,v1={v1_of(BODY)}", id="one"),
        pytest.param(f"t=1700000000,v1={'0' * 64},v1={v1_of(BODY)}", id="of several, the last"),
        pytest.param(f"t=1700000000,v1={v1_of(BODY)},v1={'0' * 64}", id="of several, the first"),
        pytest.param(f"t=1,v1={v1_of(BODY, at=1)}", id="an old one"),
    ],
)
def test_a_call_with_a_right_signature_is_obeyed(
    client: FlaskClient, join: Join, signature: str
) -> None:
    join(ADA)

    assert post(client, BODY, signature) == 204
    assert status_of(client, ADA) == "blocked"


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        pytest.param(BODY, "", id="none"),
        pytest.param(BODY, f"t=1700000001,v1={v1_of(BODY)}", id="of another time"),
        pytest.param(BODY, f"t=1700000000,v1={v1_of(BODY, 'another')}", id="by another secret"),
        pytest.param(BODY, f"t=1700000000,v1={'0' * 64},v1={'1' * 64}", id="several wrong ones"),
        pytest.param(BODY + b"&", f"t=1700000000,v1={v1_of(BODY)}", id="of another body"),
        pytest.param(
            BODY.replace(b"%5B", b"["), f"t=1700000000,v1={v1_of(BODY)}", id="of other octets"
        ),
        pytest.param(b"type=unheard_of", "t=1,v1=0", id="of an unknown type"),
    ],
)
def test_a_call_with_a_wrong_signature_is_refused_and_changes_nothing(
    client: FlaskClient, join: Join, body: bytes, signature: str
) -> None:
    join(ADA)

    assert post(client, body, signature) == 400
    assert status_of(client, ADA) == "confirmed"


def test_a_right_signature_does_not_replace_the_secret(client: FlaskClient, join: Join) -> None:
    join(ADA)

    assert post(client, BODY, url="/webhooks/mailchimp/wrong") == 404
    assert status_of(client, ADA) == "confirmed"


def test_the_check_of_the_url_needs_no_signature(client: FlaskClient) -> None:
    assert client.get(URL).status_code == 200


# The database away

EVERY_KIND = [
    in_form("unsubscribe", action="unsub", email=ADA),
    in_form("unsubscribe", action="delete", email=ADA),
    in_form("cleaned", reason="abuse", email=ADA),
    in_form("upemail", old_email=ADA, new_email=GRACE),
    in_form("subscribe", email=ADA),
    in_form("profile", email=ADA),
]
AWAY = ["sqlite:////nowhere/newsletter.sqlite3", "postgresql://ada:word@127.0.0.1:9/newsletter"]


@pytest.mark.parametrize("database", AWAY)
def test_no_call_is_taken_while_the_database_is_away(
    client_with: ClientWith, database: str
) -> None:
    client = client_with(DATABASE_URL=database)

    assert {post(client, body) for body in EVERY_KIND} == {503}
    assert client.get(URL).status_code == 200


# The log


@pytest.mark.parametrize(
    ("variables", "signature", "url", "status"),
    [
        pytest.param({}, None, URL, 204, id="taken"),
        pytest.param({}, "t=1,v1=0", URL, 400, id="a wrong signature"),
        pytest.param({}, None, f"{URL}-and-more", 404, id="a wrong secret"),
        pytest.param({"DATABASE_URL": AWAY[0]}, None, URL, 503, id="no database"),
        pytest.param({"DATABASE_URL": AWAY[1]}, None, URL, 503, id="no database server"),
    ],
)
def test_the_log_never_contains_the_secret_or_the_body_of_a_call(
    client_with: ClientWith,
    caplog: pytest.LogCaptureFixture,
    variables: dict[str, str],
    signature: str | None,
    url: str,
    status: int,
) -> None:
    client = client_with(MAILCHIMP_SIGNING_SECRET=SIGNING_SECRET, LOG_LEVEL="DEBUG", **variables)
    caplog.set_level(logging.DEBUG)

    assert post(client, EXAMPLE, signature, url) == status

    assert "POST /webhooks/mailchimp/<secret>" in caplog.text
    told = caplog.text.lower()
    private = ["ada", "example.org", "nig", "8a25ff1d98", "data[", "data%5b", WEBHOOK_SECRET]
    assert not [text for text in (*private, SIGNING_SECRET, v1_of(EXAMPLE)) if text in told]
