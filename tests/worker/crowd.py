"""Many people at once, without letters, and the calls to Mailchimp about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import SignUp
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Letter
from newsletter.subscriptions import wording
from newsletter.subscriptions.confirm import confirm
from newsletter.subscriptions.links import Link
from newsletter.subscriptions.sign_up import sign_up
from sandbox.mailchimp.script import Call
from tests.conftest import Clock, Drain
from tests.people import STAFF, access, said_by

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
ALWAYS = 1_000_000


def join_all(app: Flask, *people: str) -> None:
    """Have people sign up and confirm; Mailchimp does not know of it yet."""
    with app.app_context():
        with writing() as session:
            consent = wording.current_in(session, "de")
        for person in people:
            sign_up(Address.parse(person), SignUp(consent))
        with reading() as session:
            waiting = select(Letter.ref, Letter.round, Letter.written_at).where(
                Letter.sent_at.is_(None)
            )
            letters = session.execute(waiting).all()
        for letter in letters:
            confirm(Link(letter.ref, letter.round, letter.written_at))


def numbered(count: int) -> list[str]:
    """So many addresses."""
    return [f"person-{number}@example.org" for number in range(count)]


def is_add(call: Call) -> bool:
    """Tell whether a call is to subscribe somebody, alone or together with others."""
    return call.method == "PUT" or (call.method == "POST" and "/members/" not in call.path)


def is_unsubscribe(call: Call) -> bool:
    """Tell whether a call is to unsubscribe somebody."""
    return call.method == "PATCH"


def is_erasure(call: Call) -> bool:
    """Tell whether a call is to delete somebody for good."""
    return call.path.endswith("/delete-permanent")


def is_write(call: Call) -> bool:
    """Tell whether a call is to change anything."""
    return call.method != "GET"


def is_about_people(call: Call) -> bool:
    """Tell whether a call is more than a page of the whole audience, which the worker reads every night."""
    return not call.path.endswith("/members")


def names(call: Call, person: str) -> bool:
    """Tell whether a person is in the body of a call."""
    return f"'{person.lower()}'" in str(call.body).lower()


def place_of(client: FlaskClient, person: str) -> tuple[str, str | None]:
    """What staff see of somebody's place at Mailchimp, and of what went wrong there."""
    seen = access(client, person)["mailchimp"]
    return str(seen["status"]), seen["error"]


def of_erasure(client: FlaskClient, number: str) -> tuple[str, str | None]:
    """How far an erasure is at Mailchimp, and why no further."""
    shown = said_by(client.get(f"/admin/erasures/{number}", headers=STAFF))
    [place] = [place for place in shown["places"] if place["place"] == "mailchimp"]
    return place["state"], place["reason"]


def details_of(client: FlaskClient, person: str, event: str) -> list[str]:
    """What the ledger says of each event of a kind."""
    events = access(client, person)["events"]
    return [str(each["detail"]) for each in events if each["event"] == event]


def time_passes(clock: Clock, drain: Drain, *seconds: float) -> int:
    """Look again after so many seconds each; how many looks that were."""
    for step in seconds:
        clock.shift(step)
        drain()
    return len(seconds)


def hours(clock: Clock, drain: Drain, count: int = 2) -> None:
    """Hours go by: whatever was put off is done, and looked at once more."""
    time_passes(clock, drain, *[HOUR.total_seconds()] * count)


def at_most_a_minute(calls: Sequence[Call]) -> int:
    """The most calls there were within any minute, its last moment left out."""
    times = sorted(call.at for call in calls)
    minute = timedelta(minutes=1)
    return max((sum(begin <= at < begin + minute for at in times) for begin in times), default=0)
