"""Which letters may be sent now, as queries that are built once, since each round of the postman needs them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, exists, or_, select

from newsletter.domain.lifecycle import Event
from newsletter.storage import jobs
from newsletter.storage.models import LedgerRow, Letter, Subscription
from newsletter.storage.moments import has_come, latest

_LONGEST_WAIT = timedelta(hours=25)  #: the furthest that `due_at` is ever set ahead
LETTERS = select(Letter, Subscription).join(Subscription, Letter.ref == Subscription.ref)
#: Whether the sign-up that the letter answers, which bears the same time, came from the hosted form.
_IS_FROM_OUR_FORM = (
    select(LedgerRow.template)
    .where(
        LedgerRow.ref == Letter.ref,
        LedgerRow.round == Letter.round,
        LedgerRow.event == Event.SIGNUP,
        LedgerRow.at == Letter.written_at,
    )
    .order_by(LedgerRow.id)
    .limit(1)
    .scalar_subquery()
    .is_not(None)
)


def waiting(at_once: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    """Condition for letters that may be sent now: due or `at_once`, not leased, and not of a restricted person.

    Its parameters are `times`.
    """
    now: BindParameter[datetime] = bindparam("now")
    is_due = or_(at_once, has_come(Letter.due_at, now, bindparam("latest_due")))
    is_free = has_come(Letter.leased_until, now, bindparam("latest_lease"))
    whose = (Subscription.ref == Letter.ref, Subscription.hold.is_(True))
    is_held = exists().where(*whose).correlate(Letter)
    return Letter.sent_at.is_(None), Letter.failed_at.is_(None), is_due, is_free, ~is_held


def times(now: datetime) -> dict[str, object]:
    """The parameters of `waiting`."""
    return {
        "now": now,
        "latest_due": latest(now, _LONGEST_WAIT),
        "latest_lease": latest(now, jobs.LEASE),
    }


@dataclass(frozen=True)
class Queries:
    """Whether such a letter waits, and the `most` that have waited longest, locked."""

    any_waits: Select[bool]
    #: The last column: whether the sign-up came from our form.
    oldest: Select[Letter, Subscription, bool]

    @classmethod
    def of(cls, *which: ColumnElement[bool]) -> Queries:
        oldest = LETTERS.where(*which).order_by(Letter.due_at, Letter.number)
        first = oldest.limit(bindparam("most")).add_columns(_IS_FROM_OUR_FORM)
        locked = first.with_for_update(skip_locked=True, of=Letter)
        return cls(select(exists().where(*which)), locked)


# Where a worker was killed, no error is recorded.
_IS_INTERRUPTED = and_(Letter.copies == 1, Letter.error.is_(None))
_NEVER_TRIED = and_(Letter.tries == 0, or_(Letter.copies == 0, _IS_INTERRUPTED))
BY_AGE = Queries.of(*waiting(_NEVER_TRIED))
#: One letter, due or not.
BY_NUMBER = Queries.of(*waiting(Letter.copies == 0), Letter.number == bindparam("number"))
