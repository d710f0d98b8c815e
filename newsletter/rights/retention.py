"""Finds the data whose period has ended, class by class, and the next day on which data ends.

The nightly run deletes what is found here, and `newsletter retention --dry-run` lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from newsletter import config
from newsletter.domain import clock, periods
from newsletter.domain.lifecycle import SOFT_REASONS, Reason, Status
from newsletter.storage.database import reading
from newsletter.storage.models import (
    Erasure,
    LedgerRow,
    Letter,
    RetentionRun,
    Subscription,
    Wording,
)
from newsletter.storage.runs.retention import (
    ERASURES,
    PROOFS,
    REQUESTS,
    RUNS,
    WORDINGS,
)

Find = Callable[[datetime, int | None], list[str]]


@dataclass(frozen=True)
class Next:
    """The data of a class that ends later: how many, and the first day; None if it is not known."""

    count: int
    on: date | None


@dataclass(frozen=True)
class Ending:
    """A class of data that ends: how to find at most so many (None: all) that have ended, and the next."""

    name: str
    find: Find
    next: Callable[[datetime], Next]


_IS_OPEN = (Subscription.expires_at.is_not(None), Subscription.hold.is_(False))


def _requests(now: datetime, most: int | None) -> list[str]:
    where = (*_IS_OPEN, Subscription.expires_at <= now)
    return _keys(Subscription.ref, where, Subscription.expires_at, most)


def _next_request(now: datetime) -> Next:
    where = (*_IS_OPEN, Subscription.expires_at > now)
    return _next(Subscription.expires_at, where, _day)


#: The digest of a hard block has no end.
_ENDS = or_(
    Subscription.address.is_not(None),
    Subscription.confirmed_round.is_not(None),
    Subscription.reason.in_([*SOFT_REASONS, Reason.BOUNCE]),
)
_IS_OUT = Subscription.status.in_((Status.BLOCKED, Status.RETURNING))
_HAS_LEFT = (_IS_OUT, Subscription.hold.is_(False), _ENDS)


def left_before(now: datetime) -> datetime:
    """The moment before which people must have left for their proof to end."""
    return periods.ended_before(now, config.current().zone)


def _proofs(now: datetime, most: int | None) -> list[str]:
    # The proof waits for the end of a later request.
    is_open = and_(Subscription.expires_at.is_not(None), Subscription.expires_at > now)
    where = (*_HAS_LEFT, Subscription.left_at < left_before(now), not_(is_open))
    return _keys(Subscription.ref, where, Subscription.left_at, most)


def _next_proof(now: datetime) -> Next:
    where = (*_HAS_LEFT, Subscription.left_at >= left_before(now))
    return _next(Subscription.left_at, where, _after_years)


_KIN = aliased(Erasure)


def _is_over(now: datetime) -> ColumnElement[bool]:
    """Erasures of one case end together."""
    end = left_before(now)
    is_kin = _KIN.case_id == Erasure.case_id
    is_young = or_(_KIN.completed_at.is_(None), _KIN.completed_at >= end)
    return and_(Erasure.completed_at < end, ~exists().where(is_kin, is_young))


def _erasures(now: datetime, most: int | None) -> list[str]:
    return _keys(Erasure.id, (_is_over(now),), Erasure.completed_at, most)


def _next_erasure(now: datetime) -> Next:
    where = (Erasure.completed_at.is_not(None), not_(_is_over(now)))
    return _next(Erasure.completed_at, where, _after_years)


def _named_by_nobody() -> tuple[ColumnElement[bool], ...]:
    return (
        ~exists().where(Subscription.wording == Wording.hash),
        ~exists().where(Letter.wording == Wording.hash),
        # Also after an erasure: the reference number still leads to the consent text.
        ~exists().where(LedgerRow.wording == Wording.hash),
    )


#: The hash of a deleted text has no end.
_IS_KEPT = Wording.text != ""


def _wordings(now: datetime, most: int | None) -> list[str]:
    is_withdrawn = Wording.withdrawn_at <= now - periods.WORDING_GRACE
    where = (_IS_KEPT, is_withdrawn, *_named_by_nobody())
    return _keys(Wording.hash, where, Wording.withdrawn_at, most)


def _next_wording(now: datetime) -> Next:
    with reading() as session:
        query = select(func.count()).where(_IS_KEPT, Wording.withdrawn_at.is_not(None))
        withdrawn = session.scalar(query) or 0
    # The end of the last record that names a text is not known in advance.
    return Next(withdrawn - len(_wordings(now, None)), None)


def _runs(now: datetime, most: int | None) -> list[str]:
    is_old = RetentionRun.ran_at < periods.years_before(now, periods.RUN_YEARS)
    with reading() as session:
        query = select(RetentionRun.id).where(is_old).order_by(RetentionRun.id).limit(most)
        return [str(number) for number in session.scalars(query)]


def _next_run(now: datetime) -> Next:
    is_young = RetentionRun.ran_at >= periods.years_before(now, periods.RUN_YEARS)

    def ends_on(first: datetime) -> date:
        return _day(periods.years_before(first, -periods.RUN_YEARS) + timedelta(days=1))

    return _next(RetentionRun.ran_at, (is_young,), ends_on)


ENDINGS = (
    Ending(REQUESTS, _requests, _next_request),
    Ending(PROOFS, _proofs, _next_proof),
    Ending(ERASURES, _erasures, _next_erasure),
    Ending(WORDINGS, _wordings, _next_wording),
    Ending(RUNS, _runs, _next_run),
)


def plan() -> list[tuple[Ending, list[str], Next]]:
    """Each class, the keys of what has ended now, and what ends next."""
    now = clock.now()
    return [(ending, ending.find(now, None), ending.next(now)) for ending in ENDINGS]


def _keys(
    key: InstrumentedAttribute[str],
    where: Sequence[ColumnElement[bool]],
    order: InstrumentedAttribute[datetime | None],
    most: int | None,
) -> list[str]:
    with reading() as session:
        query = select(key).where(*where).order_by(order, key).limit(most)
        return list(session.scalars(query))


def _next(
    began_at: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    where: Sequence[ColumnElement[bool]],
    ends_on: Callable[[datetime], date],
) -> Next:
    with reading() as session:
        count, first = session.execute(select(func.count(), func.min(began_at)).where(*where)).one()
    return Next(count, None if first is None else ends_on(first))


def _day(moment: datetime) -> date:
    return moment.astimezone(config.current().zone).date()


def _after_years(began_at: datetime) -> date:
    """The first day after what is kept to the end of the third calendar year."""
    return periods.kept_until(began_at, config.current().zone) + timedelta(days=1)
