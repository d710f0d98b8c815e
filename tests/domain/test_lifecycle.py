"""The table, cell by cell, and the laws that hold over all of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest

from newsletter.domain.consent import ConsentText
from newsletter.domain.lifecycle import (
    BOUNCE_IS_HARD_FOR,
    FORGOTTEN,
    NOBODY,
    UNSETTLED,
    Action,
    Block,
    Confirm,
    Decision,
    Disown,
    Erase,
    Event,
    Expire,
    Lift,
    MailchimpStatus,
    Reason,
    Retire,
    SignUp,
    Standing,
    Status,
    TakeOver,
    Unsubscribe,
    decide,
    ends_round,
    must_wait,
    wanted_mailchimp_status,
)
from newsletter.domain.limits import Sent

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
JUST_NOW = NOW - timedelta(days=1)

PENDING = Standing(Status.PENDING)
CONFIRMED = Standing(Status.CONFIRMED)
SOFT = [
    Standing(Status.BLOCKED, Reason.UNSUBSCRIBED, LONG_AGO),
    Standing(Status.BLOCKED, Reason.REMOVED_AT_MAILCHIMP, JUST_NOW),
    Standing(Status.BLOCKED, Reason.RECTIFIED, JUST_NOW),
    Standing(Status.BLOCKED, Reason.BOUNCE, NOW - BOUNCE_IS_HARD_FOR),
]
HARD = [
    Standing(Status.BLOCKED, Reason.COMPLAINT, LONG_AGO),
    Standing(Status.BLOCKED, Reason.NOT_ME, LONG_AGO),
    Standing(Status.BLOCKED, Reason.STAFF, LONG_AGO),
    Standing(Status.BLOCKED, Reason.BOUNCE, JUST_NOW),
]
RETURNING = [Standing(Status.RETURNING, block.reason, block.left_at) for block in SOFT]
EVERYBODY = [NOBODY, PENDING, CONFIRMED, *SOFT, *HARD, *RETURNING]
HELD = [Standing(who.status, who.reason, who.left_at, held=True) for who in EVERYBODY[1:]]
CONSENT = ConsentText("0" * 64, "de", "Ja.")
SIGN_UP, CONFIRM = SignUp(CONSENT), Confirm(CONSENT)
NOT_BLOCKING = [
    SIGN_UP,
    CONFIRM,
    Unsubscribe(),
    Disown(),
    Lift(),
    Expire(),
    Retire(),
    Erase(),
    TakeOver(),
]
ACTIONS = [*NOT_BLOCKING, *(Block(reason) for reason in Reason)]
FROZEN_BY_HOLD = [SIGN_UP, CONFIRM, Expire(), Retire()]
JUST_WRITTEN = Sent((NOW,))


def ask(standing: Standing, action: Action, sent: Sent = Sent()) -> Decision:  # noqa: B008 - it is frozen
    return decide(standing, action, NOW, sent)


def after(decision: Decision, before: Standing) -> Standing:
    """Where somebody stands once a decision was carried out."""
    if not decision.changes:
        return before
    left_at = None if decision.status in (Status.PENDING, Status.CONFIRMED) else NOW
    is_there = decision.status is not Status.UNKNOWN
    return Standing(decision.status, decision.reason, left_at, held=before.held and is_there)


def is_dash(decision: Decision, standing: Standing) -> bool:
    same = (decision.status, decision.reason) == (standing.status, standing.reason)
    is_silent = not decision.writes_letter and not decision.tells_way_back
    return same and not decision.changes and is_silent


LEFT_ELSEWHERE = TakeOver(Reason.UNSUBSCRIBED)
CELLS = [
    (NOBODY, TakeOver(), Decision(Status.CONFIRMED, None, Event.IMPORTED)),
    (NOBODY, LEFT_ELSEWHERE, Decision(Status.BLOCKED, Reason.UNSUBSCRIBED, Event.IMPORTED)),
    (NOBODY, SIGN_UP, Decision(Status.PENDING, None, Event.SIGNUP, writes_letter=True)),
    (PENDING, SIGN_UP, Decision(Status.PENDING, None, Event.SIGNUP, writes_letter=True)),
    (PENDING, CONFIRM, Decision(Status.CONFIRMED, None, Event.CONFIRMED)),
    (PENDING, Disown(), Decision(Status.UNKNOWN, None, Event.DISOWNED)),
    (PENDING, Expire(), Decision(Status.UNKNOWN, None, Event.EXPIRED)),
    (
        CONFIRMED,
        Unsubscribe(),
        Decision(Status.BLOCKED, Reason.UNSUBSCRIBED, Event.BLOCKED),
    ),
    (CONFIRMED, Disown(), Decision(Status.BLOCKED, Reason.NOT_ME, Event.BLOCKED)),
    *[
        (
            block,
            SIGN_UP,
            Decision(Status.RETURNING, block.reason, Event.SIGNUP, writes_letter=True),
        )
        for block in [*SOFT, *RETURNING]
    ],
    *[(block, Retire(), Decision(Status.UNKNOWN, None, Event.ERASED)) for block in SOFT],
    *[
        (block, Retire(), Decision(Status.UNKNOWN, None, Event.ERASED, keeps_block=True))
        for block in HARD
    ],
    *[
        (block, Lift(), Decision(Status.BLOCKED, Reason.UNSUBSCRIBED, Event.LIFTED))
        for block in HARD
    ],
    *[(who, CONFIRM, Decision(Status.CONFIRMED, None, Event.CONFIRMED)) for who in RETURNING],
    *[(who, Disown(), Decision(Status.BLOCKED, who.reason, Event.DISOWNED)) for who in RETURNING],
    *[(who, Expire(), Decision(Status.BLOCKED, who.reason, Event.EXPIRED)) for who in RETURNING],
    *[(who, Erase(), Decision(Status.UNKNOWN, None, Event.ERASED)) for who in EVERYBODY],
]
FILLED = {(standing, action) for standing, action, _ in CELLS}
DASHES = [
    (standing, action)
    for standing, action in product(EVERYBODY, NOT_BLOCKING)
    if (standing, action) not in FILLED
]


def test_the_cells_are_of_every_status_reason_and_action() -> None:
    assert {who.status for who in EVERYBODY} == set(Status)
    assert {who.reason for who in SOFT + HARD} == set(Reason)
    assert {type(action) for action in ACTIONS} == set(get_args(Action))


@pytest.mark.parametrize(("standing", "action", "expected"), CELLS)
def test_a_filled_cell_says_what_becomes_of_a_person(
    standing: Standing, action: Action, expected: Decision
) -> None:
    assert ask(standing, action) == expected


@pytest.mark.parametrize(("standing", "action"), DASHES)
def test_every_other_cell_is_a_dash(standing: Standing, action: Action) -> None:
    assert is_dash(ask(standing, action), standing)


@pytest.mark.parametrize("reason", list(Reason))
def test_nobody_unknown_is_blocked_but_by_staff(reason: Reason) -> None:
    assert ask(NOBODY, Block(reason)).changes is (reason is Reason.STAFF)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_confirmed_person_is_blocked_for_any_reason(reason: Reason) -> None:
    decision = ask(CONFIRMED, Block(reason))

    assert decision == Decision(Status.BLOCKED, reason, Event.BLOCKED)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_pending_person_is_blocked_for_any_reason_but_their_removal_there(reason: Reason) -> None:
    decision = ask(PENDING, Block(reason))

    assert decision.changes is (reason is not Reason.REMOVED_AT_MAILCHIMP)


@pytest.mark.parametrize(("days", "is_hard"), [(0, True), (29, True), (30, False)])
def test_a_bounce_is_hard_for_thirty_days(days: int, is_hard: bool) -> None:
    left_at = NOW - timedelta(days=days)

    assert Standing(Status.BLOCKED, Reason.BOUNCE, left_at).is_hard(NOW) is is_hard


@pytest.mark.parametrize(("standing", "reason"), list(product(SOFT + HARD + RETURNING, Reason)))
def test_a_block_on_a_block_counts_only_if_it_is_stronger(
    standing: Standing, reason: Reason
) -> None:
    assert standing.reason is not None

    decision = ask(standing, Block(reason))

    assert decision.changes is (reason.strength > standing.reason.strength)
    assert decision.status is (Status.BLOCKED if decision.changes else standing.status)


def test_the_order_of_reasons_is_the_houses() -> None:
    by_strength = sorted(Reason, key=lambda reason: reason.strength)

    assert by_strength[2:] == ["unsubscribed", "bounce", "not_me", "complaint", "staff"]
    assert Reason.REMOVED_AT_MAILCHIMP.strength == Reason.RECTIFIED.strength


@pytest.mark.parametrize("standing", [PENDING, *RETURNING])
def test_disowning_and_blocking_leaves_a_hard_block(standing: Standing) -> None:
    decision = ask(standing, Disown(and_block=True))

    assert decision == Decision(Status.BLOCKED, Reason.NOT_ME, Event.BLOCKED)


@pytest.mark.parametrize("standing", [NOBODY, *SOFT, *HARD])
def test_disowning_and_blocking_needs_an_open_request(standing: Standing) -> None:
    assert is_dash(ask(standing, Disown(and_block=True)), standing)


@pytest.mark.parametrize("standing", EVERYBODY)
def test_no_sign_up_extends_an_open_request_once_the_earlier_proof_has_ended(
    standing: Standing,
) -> None:
    decision = ask(replace(standing, proof_has_ended=True), SIGN_UP)

    assert decision == replace(
        ask(standing, SIGN_UP), keeps_end=standing.status is Status.RETURNING
    )


@pytest.mark.parametrize("standing", EVERYBODY)
def test_a_sign_up_too_soon_is_a_dash(standing: Standing) -> None:
    full = Sent((LONG_AGO,) * 3)

    assert is_dash(ask(standing, SIGN_UP, full), standing)


@pytest.mark.parametrize("standing", EVERYBODY)
@pytest.mark.parametrize("letters", [4, 5, 6])
def test_an_open_request_gets_five_letters(standing: Standing, letters: int) -> None:
    decision = ask(standing, SIGN_UP, Sent(of_request=letters))

    is_open = standing.status in (Status.PENDING, Status.RETURNING)
    if is_open and letters >= 5:
        assert is_dash(decision, standing)
    elif is_open:
        assert decision.writes_letter


@pytest.mark.parametrize("standing", [NOBODY, PENDING, *RETURNING])
def test_a_sign_up_even_without_a_letter_makes_the_request(standing: Standing) -> None:
    decision = ask(standing, SignUp(CONSENT, even_without_letter=True), JUST_WRITTEN)

    assert decision == replace(ask(standing, SIGN_UP), writes_letter=False)


@pytest.mark.parametrize("standing", EVERYBODY)
def test_an_erasure_keeps_a_block_where_that_is_asked_for(standing: Standing) -> None:
    assert ask(standing, Erase(keep_block=True)).keeps_block


@pytest.mark.parametrize(("standing", "action"), list(product(HELD, FROZEN_BY_HOLD)))
def test_a_hold_freezes_what_the_person_did_not_ask_for(standing: Standing, action: Action) -> None:
    assert is_dash(ask(standing, action), standing)


@pytest.mark.parametrize(
    ("standing", "action"),
    [(who, action) for who, action in product(HELD, ACTIONS) if action not in FROZEN_BY_HOLD],
)
def test_a_hold_freezes_nothing_that_the_person_or_staff_ask_for(
    standing: Standing, action: Action
) -> None:
    free = Standing(standing.status, standing.reason, standing.left_at)

    assert ask(standing, action) == ask(free, action)


@pytest.mark.parametrize(("standing", "action"), list(product(EVERYBODY + HELD, ACTIONS)))
def test_repeating_an_action_changes_no_status(standing: Standing, action: Action) -> None:
    once = after(ask(standing, action), standing)

    again = ask(once, action)

    assert (again.status, again.reason) == (once.status, once.reason)


@pytest.mark.parametrize(("standing", "action"), list(product(EVERYBODY + HELD, ACTIONS)))
def test_only_an_open_request_becomes_confirmed_and_who_was_unknown_and_is_taken_over(
    standing: Standing, action: Action
) -> None:
    decision = ask(standing, action)

    if decision.event is Event.IMPORTED:
        assert (standing, action) == (NOBODY, TakeOver())
    elif decision.status is Status.CONFIRMED and decision.changes:
        assert standing.status in (Status.PENDING, Status.RETURNING)
        assert action == CONFIRM


@pytest.mark.parametrize(("standing", "action"), list(product(SOFT + HARD + RETURNING, ACTIONS)))
def test_only_a_confirmation_or_forgetting_ends_a_block(standing: Standing, action: Action) -> None:
    decision = ask(standing, action)

    if decision.status not in (Status.BLOCKED, Status.RETURNING):
        assert action in (CONFIRM, Erase(), Retire())


@pytest.mark.parametrize(("standing", "action"), list(product(EVERYBODY + HELD, ACTIONS)))
def test_a_reason_stands_exactly_with_a_block(standing: Standing, action: Action) -> None:
    decision = ask(standing, action)

    is_out = decision.status in (Status.BLOCKED, Status.RETURNING)
    assert (decision.reason is not None) is is_out


@pytest.mark.parametrize(("standing", "action"), list(product(EVERYBODY + HELD, ACTIONS)))
def test_only_a_sign_up_writes_a_letter(standing: Standing, action: Action) -> None:
    if ask(standing, action).writes_letter:
        assert action == SIGN_UP


@pytest.mark.parametrize(("before", "now"), list(product(Status, Status)))
def test_a_round_ends_with_a_request_or_a_consent(before: Status, now: Status) -> None:
    was_in = before in (Status.PENDING, Status.CONFIRMED, Status.RETURNING)
    is_out = now in (Status.BLOCKED, Status.UNKNOWN)

    assert ends_round(before, now) is (was_in and is_out)


FORGOTTEN_THERE = Standing(
    Status.CONFIRMED, at_mailchimp=MailchimpStatus.REFUSED, refused_as=FORGOTTEN
)
AWAITED_THERE = Standing(Status.CONFIRMED, at_mailchimp=MailchimpStatus.AWAITING)
MAY_TELL = Sent(may_tell_way_back=True)
TELLS_WAY_BACK = Decision(Status.CONFIRMED, None, tells_way_back=True)


@pytest.mark.parametrize("standing", [FORGOTTEN_THERE, AWAITED_THERE])
def test_who_can_only_come_back_by_themselves_is_told_how_when_they_sign_up(
    standing: Standing,
) -> None:
    decision = ask(standing, SIGN_UP, MAY_TELL)

    assert decision == TELLS_WAY_BACK
    assert not decision.changes


@pytest.mark.parametrize("standing", [FORGOTTEN_THERE, AWAITED_THERE])
def test_nobody_is_told_where_there_is_no_way_or_too_soon(standing: Standing) -> None:
    assert is_dash(ask(standing, SIGN_UP), standing)
    assert is_dash(ask(standing, SIGN_UP, replace(MAY_TELL, letters=(NOW,))), standing)


@pytest.mark.parametrize("standing", [FORGOTTEN_THERE, AWAITED_THERE])
@pytest.mark.parametrize("action", [action for action in ACTIONS if action != SIGN_UP])
def test_nothing_but_a_sign_up_tells_the_way_back(standing: Standing, action: Action) -> None:
    assert not ask(standing, action, MAY_TELL).tells_way_back


@pytest.mark.parametrize("place", list(MailchimpStatus))
@pytest.mark.parametrize("refused_as", [None, "fake_or_invalid", FORGOTTEN])
def test_the_way_back_is_for_the_forgotten_and_the_awaited_alone(
    place: MailchimpStatus, refused_as: str | None
) -> None:
    standing = replace(CONFIRMED, at_mailchimp=place, refused_as=refused_as)

    is_told = ask(standing, SIGN_UP, MAY_TELL).tells_way_back

    is_forgotten = (place, refused_as) == (MailchimpStatus.REFUSED, FORGOTTEN)
    assert is_told is (is_forgotten or place is MailchimpStatus.AWAITING)


@pytest.mark.parametrize("standing", [who for who in EVERYBODY + HELD if who != CONFIRMED])
@pytest.mark.parametrize("place", [FORGOTTEN_THERE, AWAITED_THERE])
def test_nobody_but_the_confirmed_who_are_not_held_is_told(
    standing: Standing, place: Standing
) -> None:
    standing = replace(standing, at_mailchimp=place.at_mailchimp, refused_as=place.refused_as)

    assert not ask(standing, SIGN_UP, MAY_TELL).tells_way_back
    assert not standing.needs_way_back


MINUTES = timedelta(minutes=1)


@pytest.mark.requires("R67")
@pytest.mark.parametrize(
    ("standing", "letters", "expected"),
    [
        (NOBODY, [], False),
        (PENDING, [9 * MINUTES], True),
        (PENDING, [10 * MINUTES], False),
        (PENDING, [11 * MINUTES, 60 * MINUTES, 120 * MINUTES], True),
        (PENDING, [11 * MINUTES, 60 * MINUTES], False),
        (SOFT[0], [1 * MINUTES], False),
        (SOFT[0], [1 * MINUTES, 2 * MINUTES, 3 * MINUTES], True),
        (RETURNING[0], [1 * MINUTES], True),
        (NOBODY, [1 * MINUTES], True),
    ],
)
def test_one_letter_in_ten_minutes_and_three_a_day(
    standing: Standing, letters: list[timedelta], expected: bool
) -> None:
    sent = Sent(tuple(NOW - ago for ago in letters))

    assert must_wait(standing, sent, NOW) is expected


@pytest.mark.parametrize(
    ("status", "held", "is_successor", "expected"),
    [
        (Status.CONFIRMED, False, False, MailchimpStatus.SUBSCRIBED),
        (Status.CONFIRMED, True, False, MailchimpStatus.UNSUBSCRIBED),
        (Status.BLOCKED, False, False, MailchimpStatus.UNSUBSCRIBED),
        (Status.RETURNING, False, False, MailchimpStatus.UNSUBSCRIBED),
        (Status.PENDING, False, False, None),
        (Status.PENDING, False, True, MailchimpStatus.UNSUBSCRIBED),
        (Status.UNKNOWN, False, False, None),
    ],
)
def test_nobody_has_a_place_at_mailchimp_before_the_confirmation(
    status: Status, held: bool, is_successor: bool, expected: MailchimpStatus | None
) -> None:
    assert wanted_mailchimp_status(status, held=held, is_successor=is_successor) is expected


def test_a_refusal_and_mailchimps_own_question_settle_the_wish_to_subscribe() -> None:
    assert set(MailchimpStatus) - UNSETTLED[MailchimpStatus.SUBSCRIBED] == {
        MailchimpStatus.SUBSCRIBED,
        MailchimpStatus.AWAITING,
        MailchimpStatus.REFUSED,
    }


def test_where_nobody_is_there_is_nobody_to_unsubscribe() -> None:
    assert set(MailchimpStatus) - UNSETTLED[MailchimpStatus.UNSUBSCRIBED] == {
        MailchimpStatus.UNSUBSCRIBED,
        MailchimpStatus.ABSENT,
        MailchimpStatus.REFUSED,
    }


@pytest.mark.parametrize("standing", [PENDING, CONFIRMED, RETURNING[1]])
@pytest.mark.parametrize(
    ("left_at", "is_blocked"), [(LONG_AGO, False), (JUST_NOW, True), (NOW, True), (None, True)]
)
def test_who_is_taken_over_as_having_left_is_blocked_unless_they_came_back_since(
    standing: Standing, left_at: datetime | None, *, is_blocked: bool
) -> None:
    since_just_now = replace(standing, since=JUST_NOW)

    decision = ask(since_just_now, TakeOver(Reason.UNSUBSCRIBED, left_at))

    expected = ask(standing, Block(Reason.UNSUBSCRIBED)) if is_blocked else None
    assert decision == expected if expected else is_dash(decision, standing)
