"""What the ledger's rows make of a consent: its rounds, its steps, and where the person stands.

Pure: a proof is made by these rules, and whoever holds its rows can check it by them, with or without a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from newsletter.domain.lifecycle import Event, Reason, Status

#: What makes a consent: the order, the letter that asks back, the answer.
_STEPS = (Event.SIGNUP, Event.MAIL_SENT, Event.CONFIRMED)
_BY_PERSON = (Event.SIGNUP, Event.CONFIRMED, Event.DISOWNED)


class Row(Protocol):
    """A row of the ledger, read from the database or from a file, where its words are plain text."""

    @property
    def id(self) -> int: ...
    @property
    def ref(self) -> str: ...
    @property
    def round(self) -> int | None: ...
    @property
    def event(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def detail(self) -> str | None: ...
    @property
    def wording(self) -> str | None: ...
    @property
    def actor(self) -> str | None: ...


R = TypeVar("R", bound=Row)


def by_round(happened: Sequence[R]) -> dict[int | None, list[R]]:
    """A round begins with its sign-up: what is done for somebody who left came after the round that they left."""
    rounds: dict[int | None, list[R]] = {}
    begun: int | None = None
    for row in happened:
        if row.event == Event.SIGNUP:
            begun = row.round
        is_earlier = row.round is not None and begun is not None and row.round < begun
        number = row.round if begun is None or is_earlier else begun
        rounds.setdefault(number, []).append(row)
    return rounds


def is_step(row: Row) -> bool:
    """Tell whether a row is one of the three steps; a letter of another kind says which in its detail."""
    return row.event in _STEPS and row.detail is None


def actor_of(row: Row) -> str:
    """Who did it: staff by the name of their token, the person by the reference, else the service."""
    return row.actor or (row.ref if row.event in _BY_PERSON else "service")


def agreed(rows: Iterable[Row]) -> str | None:
    """The text that was agreed to, by its hash; None where none was."""
    named = [row.wording for row in rows if row.event == Event.CONFIRMED]
    return named[-1] if named else None


def agreed_or_shown(rows: Sequence[Row]) -> str | None:
    """The text that was agreed to, else the one that was last shown."""
    shown = [row.wording for row in rows if row.event == Event.SIGNUP]
    return agreed(rows) or (shown[-1] if shown else None)


def state_of(row: Row) -> str | None:
    """What an event makes of the consent, in the standard's words; None where it makes nothing of it."""
    if row.event == Event.BLOCKED:
        return "withdrawn" if row.reason in _WITHDRAWALS else "terminated"
    return _STATES.get(row.event)


def last_state(rows: Iterable[Row]) -> str | None:
    """What all of them together make of it."""
    states = [state for row in rows if (state := state_of(row))]
    return states[-1] if states else None


_STATES: dict[str, str] = {
    Event.SIGNUP: "requested",
    Event.CONFIRMED: "given",
    Event.DISOWNED: "withdrawn",
    Event.EXPIRED: "expired",
    Event.ERASED: "erased",
}
_WITHDRAWALS = frozenset[str](
    {Reason.UNSUBSCRIBED, Reason.REMOVED_AT_MAILCHIMP, Reason.NOT_ME, Reason.COMPLAINT}
)


@dataclass(frozen=True)
class Stand:
    """Where the rows leave a person: `since` is the id of the row that last changed their status."""

    status: str = Status.UNKNOWN
    reason: str | None = None
    since: int | None = None


def stand_after(happened: Iterable[Row]) -> Stand:
    """Where somebody stands by what has happened, all of it or the rows of the present round."""
    stand = Stand()
    for row in happened:
        status, reason = _next(stand, row)
        if status == Status.UNKNOWN:
            stand = Stand()
        else:
            stand = Stand(status, reason, stand.since if status == stand.status else row.id)
    return stand


def _next(stand: Stand, row: Row) -> tuple[str, str | None]:
    was_blocked = stand.status in (Status.BLOCKED, Status.RETURNING)
    match row.event:
        case Event.SIGNUP:
            return (Status.RETURNING if was_blocked else Status.PENDING), stand.reason
        case Event.CONFIRMED:
            return Status.CONFIRMED, None
        case Event.BLOCKED:
            return Status.BLOCKED, row.reason
        case Event.LIFTED:
            return Status.BLOCKED, Reason.UNSUBSCRIBED
        case Event.DISOWNED | Event.EXPIRED if was_blocked:
            return Status.BLOCKED, stand.reason
        case Event.DISOWNED | Event.EXPIRED | Event.ERASED:
            return Status.UNKNOWN, None
        case _:
            return stand.status, stand.reason
