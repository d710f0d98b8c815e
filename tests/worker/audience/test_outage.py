"""An hour in which Mailchimp is down, silent or too busy while people come and go: afterwards both sides agree."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import TypeVar

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from newsletter.domain import clock as our_clock
from newsletter.domain.address import Address
from newsletter.domain.consent import ConsentText
from newsletter.domain.lifecycle import MailchimpStatus, SignUp, Status
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Erasure, Subscription
from newsletter.subscriptions import wording
from newsletter.subscriptions.confirm import confirm
from newsletter.subscriptions.erase import erase
from newsletter.subscriptions.leave import unsubscribe
from newsletter.subscriptions.links import Link
from newsletter.subscriptions.person import OPEN, digest_of
from newsletter.subscriptions.sign_up import sign_up
from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.mailchimp_loop import MailchimpLoop
from sandbox.mailchimp import Answer, StandIn, id_of
from sandbox.mailchimp.answers import CARRIED_OUT_BUT_DROPPED, DROPPED, held
from sandbox.mailchimp.problems import too_many_connections
from sandbox.mailchimp.script import Call, Match
from tests.conftest import IS_LONG, Clock
from tests.people import standing_of, webhook
from tests.worker.crowd import ALWAYS, is_write, join_all, names, numbered

STEP = timedelta(minutes=1)
STEPS_OF_A_PHASE = 20
SHORT = STEP / 2
SECOND = timedelta(seconds=1)
#: Seconds to connect, and for a call: what is meant to be answered is, however busy the machine.
PATIENT = (60.0, 60.0)
WHILE_SILENT = (5.0, 3.0)

T = TypeVar("T")
#: Mailchimp itself gives up on a call after 120 s.
LATE_SECONDS = (29, 59, 89, 119)
#: What a mailing may go to there, now or once the person has answered.
MAILED = ("subscribed", "pending")


@dataclass
class Storm:
    """People who come and go by a seed, and a Mailchimp that gets worse and worse."""

    app: Flask
    mailchimp: StandIn
    clock: Clock
    line: Mailchimp
    chance: random.Random
    consent: ConsentText
    people: list[str]
    url: str = field(init=False)
    mailchimp_loop: MailchimpLoop = field(init=False)
    #: What Mailchimp will only carry out later, and the webhooks on their way, by the time they are due.
    late: list[tuple[datetime, Call]] = field(default_factory=list)
    webhooks: list[tuple[datetime, dict[str, str]]] = field(default_factory=list)
    silences: list[tuple[datetime, Event]] = field(default_factory=list)
    #: Whose last word was to join.
    joined: set[str] = field(default_factory=set)
    acts: set[str] = field(default_factory=set)
    once_erased: set[str] = field(default_factory=set)
    once_left_there: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.url = self.mailchimp.api_url
        self.mailchimp_loop = MailchimpLoop(self.line, "storm")

    def go_on(self, steps: int, step: timedelta = STEP, *, acts: bool = True) -> None:
        """Let time pass: what is late comes, people do something, and the worker has its turn."""
        for _ in range(steps):
            self.clock.shift(step - self._everybody_acts(step if acts else timedelta(0)))
            self._deliver()
            self.drain()

    def _everybody_acts(self, step: timedelta) -> timedelta:
        """People do something now and then, a second apart, as a webhook tells no less; how long that takes."""
        count = self.chance.randrange(1 + round(step.total_seconds() / 6))
        for _ in range(count):
            self._act()
            self.clock.shift(SECOND)
        return count * SECOND

    def drain(self) -> None:
        """The worker's side of Mailchimp has run: nothing is left to do now."""
        with self.app.app_context():
            while self.mailchimp_loop.step():
                pass

    def say(self, answer: Answer, when: Callable[[Call], bool], times: int = ALWAYS) -> None:
        """Have the calls that come now answered like this; what is carried out late is not one of them."""
        self.mailchimp.answer_next(
            answer, times, match=lambda call: "late" not in call.query and when(call)
        )

    def is_lost_for_now(self, call: Call) -> bool:
        """Choose some of the writes, which are carried out within two minutes."""
        if not is_write(call) or self.chance.random() > 0.4:
            return False
        due = our_clock.now() + timedelta(seconds=self.chance.choice(LATE_SECONDS))
        self.late.append((due, call))
        return True

    def likely(self, share: float) -> Match:
        """A share of all calls."""
        return lambda _: self.chance.random() < share

    def fall_silent(self) -> None:
        """Carry the next write out, and say nothing while anybody still waits for it."""
        silence = Event()
        self.line._transport.timeout = WHILE_SILENT
        self.silences.append((our_clock.now() + timedelta(seconds=100), silence))
        self.say(held(silence, drops=True), is_write, times=1)

    def _deliver(self) -> None:
        now = our_clock.now()
        for due, silence in self.silences:
            if due <= now:
                silence.set()
        if all(silence.is_set() for _, silence in self.silences):
            self.line._transport.timeout = PATIENT
        for due, call in _taken(self.late, now):
            assert due <= now
            self._carry_out(call)
        for _, fields in _taken(self.webhooks, now):
            assert webhook(self.app.test_client(), **fields).status_code == 204

    def _carry_out(self, call: Call) -> None:
        requests.request(
            call.method,
            self.url + call.path,
            params={**call.query, "late": "1"},
            data=json.dumps(call.body),
            headers={"Content-Type": "application/json"},
            auth=("user", self.mailchimp.api_key),
            timeout=PATIENT,
        )

    def _act(self) -> None:
        # Whoever changes their mind while something is on its way is the hardest to get right.
        tried = [
            person for _, call in self.late for person in self.people if _is_about(call, person)
        ]
        person = self.chance.choice(tried if tried and self.chance.random() < 0.7 else self.people)
        acts = [self.joins, self.leaves, self.leaves_there, self.is_erased]
        [act] = self.chance.choices(acts, weights=[10, 3, 3, 1])
        with self.app.app_context():
            act(person)
        self.acts.add(act.__name__)

    def joins(self, person: str) -> None:
        """Sign up, and as a rule press the letter's button."""
        sign_up(Address.parse(person), SignUp(self.consent))
        row = self._row(person)
        if row is None or row.status not in OPEN or self.chance.random() < 0.1:
            return
        confirm(Link(row.ref, row.round, row.since))
        self.joined.add(person)

    def leaves(self, person: str) -> None:
        """Follow our link."""
        row = self._row(person)
        if row is not None:
            unsubscribe(Link(row.ref))
            self.joined.discard(person)

    def leaves_there(self, person: str) -> None:
        """Follow Mailchimp's link; its webhook comes when it comes, and perhaps twice."""
        if standing_of(self.mailchimp, person) != "subscribed":
            return
        self.mailchimp.unsubscribes(person)
        self.once_left_there.add(person)
        self.joined.discard(person)
        now = our_clock.now()
        fields = {
            "type": "unsubscribe",
            "fired_at": f"{now:%Y-%m-%d %H:%M:%S}",
            "data_action": "unsub",
            "data_reason": "manual",
            "data_list_id": self.mailchimp.list_id,
            "data_email": person,
        }
        for _ in range(self.chance.choice((1, 1, 2))):
            self.webhooks.append((now + timedelta(seconds=self.chance.randrange(600)), fields))

    def is_erased(self, person: str) -> None:
        """Have staff forget them."""
        erase(Address.parse(person), actor="dpo", keep_block=False)
        self.once_erased.add(person)
        self.joined.discard(person)

    def _row(self, person: str) -> Subscription | None:
        with reading() as session:
            digest = digest_of(Address.parse(person))
            return session.scalar(select(Subscription).where(Subscription.digest == digest))

    def answer_mailchimps_question(self) -> None:
        """Whom Mailchimp asked once more say yes."""
        for person in self.people:
            if standing_of(self.mailchimp, person) == "pending":
                self.mailchimp.confirms_at_mailchimp(person)
                fields = {"data_list_id": self.mailchimp.list_id, "data_email": person}
                webhook(self.app.test_client(), type="subscribe", **fields)

    def disagreements(self) -> list[str]:
        """Everybody who stands here otherwise than there."""
        with self.app.app_context():
            seen = [(person, self._row(person)) for person in self.people]
        return [
            f"{row.status if row else 'unknown'} {row.audience if row else ''} here,"
            f" {standing_of(self.mailchimp, person)} there"
            for person, row in seen
            if not self._agrees(person, row)
        ]

    def _agrees(self, person: str, row: Subscription | None) -> bool:
        there = standing_of(self.mailchimp, person)
        if (row is not None and row.status is Status.CONFIRMED) != (person in self.joined):
            return False
        if row is None:
            return there is None
        if row.status is not Status.CONFIRMED:
            return there not in MAILED and row.audience in (
                MailchimpStatus.ABSENT,
                MailchimpStatus.UNSUBSCRIBED,
            )
        if row.audience is MailchimpStatus.REFUSED:
            # Mailchimp never takes back by API whom it was told to forget.
            return person in self.once_erased and person in self.mailchimp.forgotten
        return (row.audience, there) == (MailchimpStatus.SUBSCRIBED, "subscribed")


def _is_about(call: Call, person: str) -> bool:
    return id_of(person) in call.path or names(call, person)


def _taken(waiting: list[tuple[datetime, T]], now: datetime) -> list[tuple[datetime, T]]:
    due = [each for each in waiting if each[0] <= now]
    waiting[:] = [each for each in waiting if each[0] > now]
    return due


@pytest.fixture(params=[2, 4] if IS_LONG else [2], ids=lambda seed: f"seed {seed}")
def storm(
    request: pytest.FixtureRequest, app: Flask, mailchimp: StandIn, clock: Clock
) -> Iterator[Storm]:
    """Sixty people, of whom a third stand at Mailchimp."""
    random.seed(request.param)  # the waits are jittered
    line = Mailchimp(
        api_key=mailchimp.api_key,
        list_id=mailchimp.list_id,
        api_url=mailchimp.api_url,
        timeout=PATIENT,
    )
    people = numbered(60)
    join_all(app, *people[:20])
    with app.app_context(), writing() as session:
        consent = wording.current_in(session, "de")
    chance = random.Random(request.param)
    storm = Storm(app, mailchimp, clock, line, chance, consent, people)
    storm.joined.update(people[:20])
    storm.drain()
    yield storm
    line.close()


def test_after_an_hour_of_outage_both_sides_agree_person_by_person(
    app: Flask, mailchimp: StandIn, storm: Storm
) -> None:
    port = int(storm.url.rsplit(":", 1)[1].partition("/")[0])
    mailchimp.stop()
    storm.go_on(STEPS_OF_A_PHASE // 2)
    mailchimp.start(port)
    storm.say(Answer(503, "text/html", b"<html>Unavailable</html>"), lambda _: True)
    storm.go_on(STEPS_OF_A_PHASE // 2)

    mailchimp.answer_normally()
    for _ in range(2):
        storm.fall_silent()
    storm.say(DROPPED, storm.is_lost_for_now)
    storm.say(CARRIED_OUT_BUT_DROPPED, storm.likely(0.2))
    storm.say(DROPPED, storm.likely(0.2))
    storm.go_on(2 * STEPS_OF_A_PHASE, SHORT)

    mailchimp.answer_normally()
    storm.say(too_many_connections(), storm.likely(0.8))
    storm.go_on(STEPS_OF_A_PHASE)

    mailchimp.answer_normally()
    storm.go_on(4, timedelta(hours=1), acts=False)
    storm.answer_mailchimps_question()
    storm.go_on(1, timedelta(hours=1), acts=False)
    settled = len(mailchimp.calls)
    storm.go_on(2, timedelta(hours=1), acts=False)

    assert storm.disagreements() == []
    assert len(mailchimp.calls) == settled
    with app.app_context(), reading() as session:
        erased = list(session.scalars(select(Erasure)))
        statuses = set(session.scalars(select(Subscription.status)))
    assert all(erasure.mailchimp_done_at for erasure in erased)
    # That all of it has happened is what makes it worth anything.
    assert erased
    assert storm.once_left_there
    assert len(storm.acts) == 4
    assert {Status.CONFIRMED, Status.BLOCKED} <= statuses
    assert not storm.late
    assert not storm.webhooks
