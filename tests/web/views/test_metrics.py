"""/metrics: for staff alone, right, and about nobody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from newsletter.storage import holds
from newsletter.storage.notices import Code
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import ClientWith, Clock, Drain, both_databases, sealing
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF,
    STAFF_TOKEN,
    WEBHOOK_SECRET,
    access,
    press,
    sign_up,
    webhook,
)

pytestmark = sealing

Numbers = dict[tuple[str, ...], float]

DOCS = Path(__file__).parents[3] / "docs"
AWAY = {"DATABASE_URL": "sqlite:////nowhere/newsletter.sqlite3"}
#: Every label that there is, and none for a person.
LABELS = {
    *("method", "endpoint", "status", "le"),
    *("meaning", "step", "outcome", "what", "run", "code"),
}


def shown(client: FlaskClient) -> str:
    answer = client.get("/metrics", headers=STAFF)
    assert answer.status_code == 200
    return answer.text


def numbers(client: FlaskClient) -> Numbers:
    """By name without the prefix, and the values of the labels in the order of the labels' names."""
    return {
        (sample.name.removeprefix("newsletter_"), *(v for _, v in sorted(sample.labels.items()))): (
            sample.value
        )
        for family in text_string_to_metric_families(shown(client))
        for sample in family.samples
    }


def requests(found: Numbers, endpoint: str, method: str, status: str) -> float:
    return found["http_request_duration_seconds_count", endpoint, method, status]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
@pytest.mark.parametrize("tokens", [f"dpo:{STAFF_TOKEN}", ""])
def test_without_a_token_it_is_401_always(
    client_with: ClientWith, headers: dict[str, str], tokens: str
) -> None:
    answer = client_with(ADMIN_TOKENS=tokens).get("/metrics", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert b"newsletter_" not in answer.data


@both_databases
def test_a_journey_is_counted_step_by_step(
    client: FlaskClient, worker: Worker, drain: Drain, mailbox: Mailbox, app: Flask
) -> None:
    for email in (ADA, GRACE):
        sign_up(client, email)
    waiting = numbers(client)
    drain()
    press(client, mailbox, ADA)
    drain()
    with app.app_context():
        worker._beat()
    found = numbers(client)

    assert waiting["waiting", "letters"] == 2
    assert found["waiting", "letters"] == found["waiting", "people"] == 0
    steps = ("requested", "mailed", "confirmed", "subscribed", "expired")
    assert [found["signups_total", step] for step in steps] == [2, 2, 1, 1, 0]
    assert found["letters_total", "sent"] == 2
    assert found["mailchimp_calls_total", "200"] >= 1
    assert requests(found, "/subscriptions", "POST", "202") == 2
    assert requests(found, "/confirm/<token>", "POST", "200") == 1
    assert found["ready",] == found["workers",] == 1


def test_how_long_the_oldest_has_waited(client: FlaskClient, clock: Clock) -> None:
    sign_up(client, ADA)
    clock.shift(600)
    sign_up(client, GRACE)

    found = numbers(client)

    assert found["waiting", "letters"] == 2
    assert found["waiting_oldest_seconds", "letters"] == 600
    assert found["waiting_oldest_seconds", "people"] == 0


def test_letters_that_are_not_accepted_are_counted(
    client: FlaskClient, worker: Worker, drain: Drain, mailbox: Mailbox, app: Flask
) -> None:
    mailbox.answer_next("rcpt", "550 5.1.1 unknown user", match_recipient=ADA)
    mailbox.answer_next("rcpt", "451 4.3.0 try again", match_recipient=GRACE)
    for email in (ADA, GRACE):
        sign_up(client, email)
    drain()
    with app.app_context():
        worker._beat()

    found = numbers(client)

    assert found["letters_total", "given_up"] == found["letters_total", "put_off"] == 1


def test_a_hold_is_shown(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        holds.begin("mail", "refused_login")

    found = numbers(client)

    assert found["notice", "mail_on_hold"] == 1
    assert found["notice", "mailchimp_on_hold"] == 0


def test_how_long_ago_a_worker_gave_a_sign_of_life(
    client: FlaskClient, worker: Worker, app: Flask, clock: Clock
) -> None:
    with app.app_context():
        worker._beat()
    clock.shift(90)

    found = numbers(client)

    assert (found["workers",], found["worker_heartbeat_age_seconds",]) == (0, 90)


def test_how_long_ago_the_runs_ended(client: FlaskClient, drain: Drain, clock: Clock) -> None:
    before = numbers(client)
    drain()
    clock.shift(3600)

    assert ("run_age_seconds", "retention") not in before
    assert numbers(client)["run_age_seconds", "retention"] == 3600


@pytest.mark.parametrize(
    ("fields", "meaning"),
    [
        ({"type": "unsubscribe", "data_action": "unsub"}, "unsubscribed"),
        ({"type": "unsubscribe", "data_action": "delete"}, "removed_at_mailchimp"),
        ({"type": "unsubscribe", "data_reason": "abuse"}, "complaint"),
        ({"type": "cleaned", "data_reason": "hard"}, "bounce"),
        ({"type": "upemail", "data_old_email": ADA, "data_new_email": HEDY}, "rectified"),
        ({"type": "profile"}, "look_up"),
        ({"type": "campaign"}, "nothing"),
    ],
)
def test_webhook_calls_are_counted_by_what_they_mean(
    client: FlaskClient, mailchimp: StandIn, fields: dict[str, str], meaning: str
) -> None:
    webhook(client, **{"data_email": ADA, "data_list_id": mailchimp.list_id, **fields})

    assert numbers(client)["webhook_calls_total", meaning] == 1


def test_what_is_no_endpoint_adds_no_name(client: FlaskClient) -> None:
    for path, method in ((ADA, "GET"), (GRACE, "GET"), (ADA, "GUESSED"), (ADA, "MADE-UP")):
        client.open(f"/{path}", method=method)
    client.open("/subscriptions", method="GUESSED")

    found = numbers(client)

    assert requests(found, "-", "GET", "404") == 2
    assert requests(found, "-", "-", "404") == 2
    assert requests(found, "-", "-", "405") == 1


@pytest.mark.requires("R18")
def test_nothing_in_it_is_about_a_person(
    client: FlaskClient, drain: Drain, mailbox: Mailbox, mailchimp: StandIn
) -> None:
    sign_up(client, ADA)
    drain()
    press(client, mailbox, ADA)
    drain()
    reference = access(client, ADA)["reference"]
    client.get(f"/admin/proofs/{reference}", headers=STAFF)
    webhook(client, type="profile", data_email=ADA, data_list_id=mailchimp.list_id)

    text = shown(client)

    for told in (ADA, "example.", "@", reference, STAFF_TOKEN, WEBHOOK_SECRET, "127.0.0.1"):
        assert told.lower() not in text.lower()
    families = text_string_to_metric_families(text)
    assert {label for each in families for one in each.samples for label in one.labels} <= LABELS


def test_without_its_database_it_still_counts_requests(client_with: ClientWith) -> None:
    client = client_with(**AWAY)
    client.get("/health")

    found = numbers(client)

    assert found["ready",] == 0
    assert requests(found, "/health", "GET", "200") == 1
    assert ("workers",) not in found


def test_rules_dashboard_and_documentation_name_what_there_is(
    client: FlaskClient, worker: Worker, drain: Drain, mailchimp: StandIn, app: Flask
) -> None:
    with app.app_context():
        worker._beat()
    drain()
    webhook(client, type="profile", data_list_id=mailchimp.list_id)
    there = set(re.findall(r"newsletter_\w+", shown(client)))
    prometheus = DOCS / "deploy" / "prometheus"
    pages = (prometheus / "alerts.yml", prometheus / "dashboard.json", DOCS / "metrics.md")
    named = {page: set(re.findall(r"newsletter_\w+", page.read_text("utf-8"))) for page in pages}
    documented = {name.removesuffix("_total") for name in named[pages[2]]}
    codes = re.findall(r'code=~?"([^"]+)"', pages[0].read_text("utf-8"))

    assert named[pages[0]] | named[pages[1]] <= there
    assert {re.sub(r"_(total|bucket|count|sum|created)$", "", name) for name in there} == documented
    assert {code for each in codes for code in each.split("|")} <= {c.name.lower() for c in Code}
