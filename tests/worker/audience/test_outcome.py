"""Whatever Mailchimp answers to an add, an unsubscribe or an erasure: nobody is lost, added twice or tried for ever.

What is wrong for the whole account is in test_holds.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from threading import Event

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.mailchimp_loop import MailchimpLoop
from sandbox.mailchimp import Answer, StandIn
from sandbox.mailchimp.answers import (
    CARRIED_OUT_BUT_DROPPED,
    DROPPED,
    JSON,
    bad_gateway,
    held,
    problem,
    throttled,
)
from sandbox.mailchimp.problems import (
    bad_request,
    forgotten,
    internal_error,
    key_invalid,
    looks_fake,
    no_email,
    not_archivable,
    too_many_lists,
    too_many_requests,
)
from sandbox.mailchimp.script import Call
from tests.conftest import Clock, Drain, on_sqlite
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    ask_staff,
    events_of,
    said_by,
    sign_up,
    standing_of,
    status_of,
    webhook,
)
from tests.worker.crowd import (
    ALWAYS,
    DAY,
    HOUR,
    details_of,
    hours,
    is_about_people,
    is_add,
    is_erasure,
    is_unsubscribe,
    is_write,
    join_all,
    names,
    of_erasure,
    place_of,
    time_passes,
)

# What an answer means does not depend on the database; test_outage.py has both.
pytestmark = on_sqlite

JOAN = "joan@example.com"
ALONE, TOGETHER = [ADA], [ADA, JOAN]


@dataclass
class Scene:
    """Some have confirmed and are to be added, Grace has left, and Hedy wants to be forgotten; nothing is done yet."""

    client: FlaskClient
    mailchimp: StandIn
    joining: list[str]
    erasure: str
    began: int  #: how many calls there were before

    @property
    def calls(self) -> list[Call]:
        """The calls since then."""
        return list(filter(is_about_people, self.mailchimp.calls))[self.began :]

    def adds(self, person: str, since: int = 0) -> list[Call]:
        """The calls that were to add somebody."""
        return [call for call in self.calls[since:] if is_add(call) and names(call, person)]

    def of_erasure(self) -> tuple[str, str | None]:
        """How far Hedy's erasure is at Mailchimp, and why no further."""
        return of_erasure(self.client, self.erasure)

    def is_as_wanted(self) -> bool:
        """All are where they should be, and it was written down once."""
        for person in self.joining:
            assert standing_of(self.mailchimp, person) == "subscribed"
            assert place_of(self.client, person) == ("subscribed", None)
            assert events_of(self.client, person) == ["signup", "confirmed", "synced"]
        assert standing_of(self.mailchimp, GRACE) == "unsubscribed"
        assert place_of(self.client, GRACE) == ("unsubscribed", None)
        assert details_of(self.client, GRACE, "synced") == ["subscribed", "unsubscribed"]
        assert standing_of(self.mailchimp, HEDY) is None
        assert HEDY in self.mailchimp.forgotten
        assert self.of_erasure() == ("done", None)
        return True


@pytest.fixture(params=[ALONE, TOGETHER], ids=["alone", "together"])
def scene(
    request: pytest.FixtureRequest,
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    drain: Drain,
    clock: Clock,
) -> Scene:
    """With one person to be added, who is told by a call of their own, or with two."""
    join_all(app, GRACE, HEDY)
    drain()
    clock.shift(HOUR)
    join_all(app, *request.param)
    ask_staff(client, "blocks", GRACE, reason="unsubscribed")
    begun = said_by(ask_staff(client, "erasures", HEDY))
    return Scene(client, mailchimp, request.param, begun["id"], len(mailchimp.calls))


GATEWAY = bad_gateway()
EMPTY = Answer(200, JSON, b"{}")
#: One of each that is treated differently; test_client.py says of every answer which it is.
PASSES = {
    "200 with an empty object": EMPTY,
    "403 without a body": Answer(403, JSON),
    "an internal error": internal_error(),
    "its gateway's page": GATEWAY,
    "no answer at all": DROPPED,
    "too many lists": too_many_lists(ADA),
    "too many requests to sign up": too_many_requests(ADA),
}


@pytest.mark.requires("R76")
@pytest.mark.parametrize(
    ("scene", "answer"),
    [*product([ALONE], PASSES.values()), (TOGETHER, EMPTY), (TOGETHER, DROPPED)],
    indirect=["scene"],
    ids=[*PASSES, "together, an empty object", "together, no answer"],
)
def test_temporary_failures_delay_everybody_and_lose_nobody(
    scene: Scene, mailchimp: StandIn, drain: Drain, clock: Clock, answer: Answer
) -> None:
    mailchimp.answer_next(answer, times=ALWAYS)
    drain()
    looks = 1 + time_passes(clock, drain, 5, HOUR.total_seconds())
    tried = len(scene.calls)
    # For each of them one call, or a look first; at each look, since time stands still meanwhile.
    assert 2 * len(scene.joining) < tried <= 2 * (len(scene.joining) + 2) * looks
    for person in scene.joining:
        assert events_of(scene.client, person) == ["signup", "confirmed"]
        assert place_of(scene.client, person)[1]
    assert scene.of_erasure()[0] == "waiting"

    mailchimp.answer_normally()
    hours(clock, drain)

    assert scene.is_as_wanted()
    assert {len(scene.adds(person, since=tried)) for person in scene.joining} == {1}


@pytest.mark.parametrize(
    ("scene", "answer"),
    [(ALONE, not_archivable()), (TOGETHER, bad_request())],
    indirect=["scene"],
    ids=["alone", "together"],
)
def test_an_unknown_refusal_is_permanent_for_nobody(
    scene: Scene, mailchimp: StandIn, drain: Drain, clock: Clock, answer: Answer
) -> None:
    mailchimp.answer_next(answer, times=ALWAYS, match=is_write)
    drain()
    hours(clock, drain, 12)
    for person in scene.joining:
        assert place_of(scene.client, person)[0] != "refused"
        assert place_of(scene.client, person)[1] == f"rejected {answer.status}"

    mailchimp.answer_normally()
    hours(clock, drain)

    assert scene.is_as_wanted()


@pytest.mark.parametrize("scene", [TOGETHER], indirect=True)
def test_a_lasting_failure_is_tried_a_few_times_an_hour(
    scene: Scene, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    mailchimp.answer_next(throttled(), times=ALWAYS)
    drain()
    hours(clock, drain, 12)
    tried = len(scene.calls)
    time_passes(clock, drain, *[600] * 36)

    # Half an hour is the mean of the wait, which is half of all to all of it: and there is chance.
    assert 2 * 6 <= len(scene.calls) - tried <= 4 * 2 * 2 * 6


def masked(answer: Answer) -> Answer:
    """The same answer to a call that is carried out."""
    return Answer(answer.status, answer.content_type, answer.body, masks=True)


@pytest.mark.parametrize(
    "answer",
    [masked(EMPTY), masked(GATEWAY), CARRIED_OUT_BUT_DROPPED],
    ids=["200 with an empty object", "its gateway's page", "no answer at all"],
)
def test_a_call_whose_answer_was_lost_is_looked_up_and_not_repeated(
    scene: Scene, mailchimp: StandIn, drain: Drain, clock: Clock, answer: Answer
) -> None:
    mailchimp.answer_next(answer, times=ALWAYS, match=is_write)
    drain()
    mailchimp.answer_normally()
    hours(clock, drain)

    assert scene.is_as_wanted()
    assert {len(scene.adds(person)) for person in scene.joining} == {1}
    assert sum(map(is_unsubscribe, scene.calls)) == 1


@pytest.fixture
def hasty(app: Flask, mailchimp: StandIn, clock: Clock) -> Iterator[Callable[[], None]]:
    """A worker's side of Mailchimp that waits for no answer longer than a moment."""
    line = Mailchimp(
        api_key=mailchimp.api_key,
        list_id=mailchimp.list_id,
        api_url=mailchimp.api_url,
        timeout=(5.0, 1.0),
    )
    mailchimp_loop = MailchimpLoop(line, "hasty")

    def drain() -> None:
        with app.app_context():
            while mailchimp_loop.step():
                pass

    yield drain
    line.close()


def test_a_call_that_took_effect_after_the_time_out_is_looked_up_and_not_repeated(
    scene: Scene, mailchimp: StandIn, hasty: Callable[[], None], clock: Clock
) -> None:
    clock.shift(HOUR)  # the worker that set the scene has let go of Mailchimp
    late = Event()
    mailchimp.answer_next(held(late), times=ALWAYS, match=is_write)
    hasty()
    mailchimp.answer_normally()
    hours(clock, hasty)

    assert late.is_set()
    assert scene.is_as_wanted()
    assert {len(scene.adds(person)) for person in scene.joining} == {1}
    assert sum(map(is_unsubscribe, scene.calls)) == 1


REFUSALS = {
    "a forgotten address": (forgotten(ADA), "forgotten"),
    "a fake address": (looks_fake(ADA), "fake_or_invalid"),
}
refusals = pytest.mark.parametrize(("answer", "reason"), REFUSALS.values(), ids=REFUSALS)


@pytest.mark.requires("R58")
@refusals
def test_staff_see_a_refused_person_with_the_reason_and_no_call_follows(
    scene: Scene, mailchimp: StandIn, drain: Drain, clock: Clock, answer: Answer, reason: str
) -> None:
    mailchimp.answer_next(answer, times=ALWAYS, match=is_add)
    drain()
    hours(clock, drain, 1)
    tried = len(scene.calls)
    time_passes(clock, drain, 5, DAY.total_seconds())
    mailchimp.answer_normally()
    time_passes(clock, drain, DAY.total_seconds())

    assert len(scene.calls) == tried
    for person in scene.joining:
        assert status_of(scene.client, person) == "confirmed"
        assert place_of(scene.client, person) == ("refused", reason)
        assert details_of(scene.client, person, "sync_failed") == [reason]
    assert standing_of(mailchimp, GRACE) == "unsubscribed"
    assert HEDY in mailchimp.forgotten


def test_a_refused_person_is_tried_again_after_a_new_consent(
    app: Flask, scene: Scene, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    mailchimp.answer_next(no_email(), times=ALWAYS, match=is_add)
    drain()
    mailchimp.answer_normally()
    for person in scene.joining:
        ask_staff(scene.client, "blocks", person, reason="unsubscribed")
    drain()
    clock.shift(HOUR)
    join_all(app, *scene.joining)
    drain()

    assert {standing_of(mailchimp, person) for person in scene.joining} == {"subscribed"}
    for person in scene.joining:
        assert events_of(scene.client, person)[2:] == [
            "sync_failed",
            "blocked",
            "signup",
            "confirmed",
            "synced",
        ]


@pytest.mark.requires("R48")
@pytest.mark.parametrize("scene", [ALONE], indirect=True)
@refusals
def test_neither_unsubscribing_nor_erasing_is_given_up_and_staff_see_why_it_waits(
    scene: Scene, mailchimp: StandIn, drain: Drain, clock: Clock, answer: Answer, reason: str
) -> None:
    mailchimp.answer_next(answer, times=ALWAYS, match=lambda made: not is_add(made))
    drain()
    looks = 1 + time_passes(clock, drain, 5, HOUR.total_seconds())
    assert sum(map(is_unsubscribe, scene.calls)) <= looks
    assert sum(map(is_erasure, scene.calls)) <= looks
    assert status_of(scene.client, GRACE) == "blocked"
    assert place_of(scene.client, GRACE)[1] == reason
    assert scene.of_erasure()[1] == reason

    mailchimp.answer_normally()
    hours(clock, drain)

    assert scene.is_as_wanted()


COMPLIANCE = {
    "as it is said": "{} is in a compliance state due to unsubscribe, bounce, or compliance review "
    "and cannot be subscribed.",
    "in other words": "{} has previously unsubscribed from this list and must opt in again.",
}


def is_to_subscribe(call: Call) -> bool:
    return is_add(call) and "'pending'" not in str(call.body)


@pytest.mark.requires("R76")
@pytest.mark.parametrize("words", COMPLIANCE.values(), ids=COMPLIANCE)
def test_mailchimp_asks_a_person_in_compliance_state_once_and_we_wait(
    scene: Scene, mailchimp: StandIn, drain: Drain, clock: Clock, words: str
) -> None:
    for person in scene.joining:
        mailchimp.add(person, "unsubscribed")
        mailchimp.in_compliance.add(person.lower())
    answer = problem(400, "Member In Compliance State", words.format(ADA))
    mailchimp.answer_next(answer, times=ALWAYS, match=is_to_subscribe)
    drain()
    hours(clock, drain, 1)
    tried = len(scene.calls)
    time_passes(clock, drain, 5, DAY.total_seconds())
    assert len(scene.calls) == tried
    assert sorted(mailchimp.audience.confirmation_mails) == sorted(map(str.lower, scene.joining))
    assert {place_of(scene.client, person) for person in scene.joining} == {("awaiting", None)}

    for person in scene.joining:
        mailchimp.confirms_at_mailchimp(person)
        webhook(scene.client, type="subscribe", data_list_id=mailchimp.list_id, data_email=person)
    drain()

    assert scene.is_as_wanted()


def test_a_person_whom_mailchimp_does_not_ask_is_refused(
    scene: Scene, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    for person in scene.joining:
        mailchimp.add(person, "cleaned")
        mailchimp.in_compliance.add(person.lower())
    drain()
    tried = len(scene.calls)
    time_passes(clock, drain, 5, DAY.total_seconds())

    assert len(scene.calls) == tried
    for person in scene.joining:
        assert place_of(scene.client, person) == ("refused", "compliance_state")
        assert details_of(scene.client, person, "sync_failed") == ["compliance_state"]


@pytest.mark.parametrize("scene", [TOGETHER], indirect=True)
@pytest.mark.parametrize("status", ["unsubscribed", "cleaned", "pending", "archived"])
def test_another_status_than_requested_is_no_success(
    scene: Scene, mailchimp: StandIn, drain: Drain, clock: Clock, status: str
) -> None:
    differing = Answer(200, JSON, b'{"status": "%s"}' % status.encode())
    mailchimp.answer_next(differing, times=ALWAYS, match=is_add)
    drain()
    assert {place_of(scene.client, person)[0] for person in scene.joining} == {"unknown"}

    mailchimp.answer_normally()
    hours(clock, drain)

    assert scene.is_as_wanted()


def test_a_day_of_refusals_shows_nobodys_address(
    scene: Scene, mailchimp: StandIn, drain: Drain, caplog: pytest.LogCaptureFixture
) -> None:
    for answer in (looks_fake(ADA), forgotten(GRACE), internal_error(), DROPPED):
        mailchimp.answer_next(answer, times=2, match=is_write)
    sign_up(scene.client, "ghost@example.org")
    drain()

    told = caplog.text.lower()
    assert not [each for each in (*scene.joining, GRACE, HEDY) if each.lower() in told]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (throttled(), "failed: throttled, tried again later"),
        (looks_fake(ADA), "failed: fake_or_invalid, given up"),
        (key_invalid(), "failed: api_key, all that is meant for Mailchimp waits"),
    ],
)
def test_the_log_says_what_comes_of_a_failure(
    app: Flask,
    mailchimp: StandIn,
    drain: Drain,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    told: str,
) -> None:
    join_all(app, ADA)
    mailchimp.answer_next(answer, match=is_write)
    drain()

    assert [each for each in caplog.messages if each.endswith(told)]


def test_the_log_never_says_that_an_unsubscribe_is_given_up(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    drain: Drain,
    caplog: pytest.LogCaptureFixture,
) -> None:
    join_all(app, ADA)
    drain()
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    mailchimp.answer_next(bad_request(), match=is_unsubscribe)
    drain()

    told = "failed: rejected 400, tried again later"
    assert [each for each in caplog.messages if each.endswith(told)]
