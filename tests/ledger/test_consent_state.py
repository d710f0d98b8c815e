"""What rows of the ledger say: rounds, steps, consent states and statuses."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from newsletter.domain.lifecycle import PRESUMED, Event, Reason, Status
from newsletter.ledger.consent_state import (
    DerivedStatus,
    actor_of,
    agreed,
    agreed_or_shown,
    by_round,
    is_presumed,
    is_step,
    last_state,
    state_of,
    status_after,
)

REF = "0" * 32


@dataclass(frozen=True)
class Row:
    event: str
    round: int | None = 1
    id: int = 1
    ref: str = REF
    reason: str | None = None
    detail: str | None = None
    wording: str | None = None
    template: str | None = None
    actor: str | None = None


def rounds_of(*rows: tuple[str, int | None]) -> dict[int | None, list[str]]:
    grouped = by_round([Row(event, round_) for event, round_ in rows])
    return {round_: [row.event for row in each] for round_, each in grouped.items()}


def test_a_round_lasts_until_the_next_sign_up() -> None:
    rows = [
        (Event.SIGNUP, 1),
        (Event.BLOCKED, 1),
        (Event.VIEWED, 2),
        (Event.VIEWED, None),
        (Event.SIGNUP, 2),
        (Event.CONFIRMED, 2),
        (Event.SYNCED, 1),
        (Event.ERASED, None),
    ]

    assert rounds_of(*rows) == {
        1: ["signup", "blocked", "viewed", "viewed", "synced"],
        2: ["signup", "confirmed", "erased"],
    }


def test_before_the_first_sign_up_a_row_is_of_the_round_that_it_names() -> None:
    rows = [(Event.RESTORED, None), (Event.IMPORTED, 1), (Event.BLOCKED, 2), (Event.SIGNUP, 3)]

    grouped = rounds_of(*rows)

    assert grouped == {None: ["restored"], 1: ["imported"], 2: ["blocked"], 3: ["signup"]}


@pytest.mark.parametrize("event", list(Event))
def test_a_consent_has_three_steps(event: Event) -> None:
    assert is_step(Row(event)) is (event in ("signup", "mail_sent", "confirmed"))
    assert not is_step(Row(event, detail="way_back"))


@pytest.mark.parametrize("event", list(Event))
def test_a_sign_up_without_a_text_is_a_step_with_a_presumed_one(event: Event) -> None:
    row = Row(event, detail=PRESUMED)

    assert is_presumed(row) is is_step(row) is (event is Event.SIGNUP)
    assert not is_presumed(Row(event))


@pytest.mark.parametrize("event", list(Event))
def test_who_did_it_is_staff_the_person_or_the_service(event: Event) -> None:
    by_person = event in ("signup", "confirmed", "disowned")

    assert actor_of(Row(event, actor="dpo")) == "dpo"
    assert actor_of(Row(event)) == (REF if by_person else "service")


def test_the_text_agreed_to_is_that_of_the_last_confirmation() -> None:
    confirmed = [Row(Event.CONFIRMED, wording=text) for text in "xab"]
    shown = [Row(Event.SIGNUP, wording=text) for text in "ycd"]

    assert agreed([*confirmed, *shown]) == agreed_or_shown([*confirmed, *shown]) == "b"
    assert (agreed(shown), agreed_or_shown(shown)) == (None, "d")
    assert (agreed([]), agreed_or_shown([Row(Event.ERASED, wording="e")])) == (None, None)


STATES = {
    "signup": "requested",
    "confirmed": "given",
    "disowned": "withdrawn",
    "expired": "expired",
    "erased": "erased",
    "imported": "taken over",
    "blocked": "terminated",
}
WITHDRAWALS = ("unsubscribed", "removed_at_mailchimp", "not_me", "complaint")


@pytest.mark.parametrize("event", list(Event))
def test_an_event_leads_to_a_consent_state_or_changes_none(event: Event) -> None:
    assert state_of(Row(event)) == STATES.get(event)


@pytest.mark.parametrize("event", [Event.BLOCKED, Event.IMPORTED])
@pytest.mark.parametrize("reason", list(Reason))
def test_only_the_person_withdraws_a_consent(event: Event, reason: Reason) -> None:
    state = "withdrawn" if reason in WITHDRAWALS else "terminated"

    assert state_of(Row(event, reason=reason)) == state


def test_the_last_state_outlasts_rows_that_change_none() -> None:
    lives = (Event.SIGNUP, Event.CONFIRMED, Event.ERASED, Event.SYNCED)

    assert last_state([Row(event) for event in lives]) == "erased"
    assert last_state([Row(Event.VIEWED)]) is None


def stand(*events: str) -> DerivedStatus:
    """After events, each `event` or `event reason`, with the ids 1, 2, 3 …"""
    rows = []
    for id_, each in enumerate(events, start=1):
        event, _, reason = each.partition(" ")
        rows.append(Row(event, id=id_, reason=reason or None))
    return status_after(rows)


IN = ["signup", "mail_sent", "confirmed"]
LEFT = [*IN, "blocked unsubscribed"]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], DerivedStatus()),
        (["signup"], DerivedStatus(Status.PENDING, None, 1)),
        (["signup", "mail_sent", "signup"], DerivedStatus(Status.PENDING, None, 1)),
        (["signup", "expired"], DerivedStatus()),
        (["signup", "disowned"], DerivedStatus()),
        (IN, DerivedStatus(Status.CONFIRMED, None, 3)),
        ([*IN, "synced"], DerivedStatus(Status.CONFIRMED, None, 3)),
        ([*IN, "erased"], DerivedStatus()),
        (LEFT, DerivedStatus(Status.BLOCKED, "unsubscribed", 4)),
        ([*LEFT, "blocked staff"], DerivedStatus(Status.BLOCKED, "staff", 4)),
        ([*LEFT, "blocked staff", "lifted"], DerivedStatus(Status.BLOCKED, "unsubscribed", 4)),
        ([*LEFT, "signup"], DerivedStatus(Status.RETURNING, "unsubscribed", 5)),
        ([*LEFT, "signup", "signup"], DerivedStatus(Status.RETURNING, "unsubscribed", 5)),
        ([*LEFT, "signup", "expired"], DerivedStatus(Status.BLOCKED, "unsubscribed", 6)),
        ([*LEFT, "signup", "disowned"], DerivedStatus(Status.BLOCKED, "unsubscribed", 6)),
        ([*LEFT, "signup", "confirmed"], DerivedStatus(Status.CONFIRMED, None, 6)),
        ([*LEFT, "erased"], DerivedStatus()),
        (["imported"], DerivedStatus(Status.CONFIRMED, None, 1)),
        (["imported unsubscribed"], DerivedStatus(Status.BLOCKED, "unsubscribed", 1)),
    ],
)
def test_the_rows_say_where_a_person_stands_and_since_when(
    events: list[str], expected: DerivedStatus
) -> None:
    assert stand(*events) == expected
