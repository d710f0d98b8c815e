"""Derives from rows of the ledger: rounds, the three steps of a consent, and the resulting status.

Pure functions: a proof is made with them, and an outsider can check its rows without a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from newsletter.domain.lifecycle import PRESUMED, Event, Reason, Status

#: The steps of a consent: the request, the confirmation e-mail, the answer.
_STEPS = (Event.SIGNUP, Event.MAIL_SENT, Event.CONFIRMED)
_BY_PERSON = (Event.SIGNUP, Event.CONFIRMED, Event.DISOWNED)


class Row(Protocol):
    """A row of the ledger from the database, or from a proof's file, where events and reasons are plain text."""

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
    def template(self) -> str | None: ...
    @property
    def actor(self) -> str | None: ...


R = TypeVar("R", bound=Row)


def by_round(rows: Sequence[R]) -> dict[int | None, list[R]]:
    """Group rows by round, in order. A round begins with its sign-up and lasts until the next one."""
    rounds: dict[int | None, list[R]] = {}
    begun: int | None = None
    for row in rows:
        if row.event == Event.SIGNUP:
            begun = row.round
        is_earlier = row.round is not None and begun is not None and row.round < begun
        number = row.round if begun is None or is_earlier else begun
        rounds.setdefault(number, []).append(row)
    return rounds


def is_step(row: Row) -> bool:
    """Whether a row is one of the three steps; the rows of other letters have their kind in `detail`."""
    return row.event in _STEPS and (row.detail is None or is_presumed(row))


def is_presumed(row: Row) -> bool:
    """Whether a row is of a sign-up without a consent text: the one published then is presumed to have been shown."""
    return row.event == Event.SIGNUP and row.detail == PRESUMED


def actor_of(row: Row) -> str:
    """Who did it: the name of a staff token, the reference number of the person, or "service"."""
    return row.actor or (row.ref if row.event in _BY_PERSON else "service")


def agreed(rows: Iterable[Row]) -> str | None:
    """The hash of the consent text that was last agreed to."""
    named = [row.wording for row in rows if row.event == Event.CONFIRMED]
    return named[-1] if named else None


def agreed_or_shown(rows: Sequence[Row]) -> str | None:
    """The hash of the consent text that was agreed to, else of the one last shown."""
    shown = [row.wording for row in rows if row.event == Event.SIGNUP]
    return agreed(rows) or (shown[-1] if shown else None)


def state_of(row: Row) -> str | None:
    """The consent state after an event, in the words of ISO/IEC TS 27560:2023; None where it changes nothing."""
    if row.event == Event.BLOCKED or (row.event == Event.IMPORTED and row.reason):
        return "withdrawn" if row.reason in _WITHDRAWALS else "terminated"
    return _STATES.get(row.event)


def last_state(rows: Iterable[Row]) -> str | None:
    """The consent state after all rows."""
    states = [state for row in rows if (state := state_of(row))]
    return states[-1] if states else None


_STATES: dict[str, str] = {
    Event.SIGNUP: "requested",
    Event.CONFIRMED: "given",
    Event.DISOWNED: "withdrawn",
    Event.EXPIRED: "expired",
    Event.ERASED: "erased",
    # Whether a consent was given, only the other system can prove.
    Event.IMPORTED: "taken over",
}
_WITHDRAWALS = frozenset[str](
    {Reason.UNSUBSCRIBED, Reason.REMOVED_AT_MAILCHIMP, Reason.NOT_ME, Reason.COMPLAINT}
)


@dataclass(frozen=True)
class DerivedStatus:
    """`since`: the id of the row that last changed the status."""

    status: str = Status.UNKNOWN
    reason: str | None = None
    since: int | None = None


def status_after(rows: Iterable[Row]) -> DerivedStatus:
    """The status after all rows of a person, or after those of the current round."""
    derived = DerivedStatus()
    for row in rows:
        status, reason = _next(derived, row)
        if status == Status.UNKNOWN:
            derived = DerivedStatus()
        else:
            since = derived.since if status == derived.status else row.id
            derived = DerivedStatus(status, reason, since)
    return derived


def _next(before: DerivedStatus, row: Row) -> tuple[str, str | None]:
    was_blocked = before.status in (Status.BLOCKED, Status.RETURNING)
    match row.event:
        case Event.SIGNUP:
            return (Status.RETURNING if was_blocked else Status.PENDING), before.reason
        case Event.CONFIRMED:
            return Status.CONFIRMED, None
        case Event.BLOCKED:
            return Status.BLOCKED, row.reason
        case Event.IMPORTED:
            return (Status.BLOCKED if row.reason else Status.CONFIRMED), row.reason
        case Event.LIFTED:
            return Status.BLOCKED, Reason.UNSUBSCRIBED
        case Event.DISOWNED | Event.EXPIRED if was_blocked:
            return Status.BLOCKED, before.reason
        case Event.DISOWNED | Event.EXPIRED | Event.ERASED:
            return Status.UNKNOWN, None
        case _:
            return before.status, before.reason
