"""How the service is doing: the last thirty days as a funnel, the nightly runs, and what is open. Nothing personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.lifecycle import Event
from newsletter.storage import daily_counts, jobs, notices
from newsletter.storage.database import reading
from newsletter.storage.models import Erasure, LedgerRow, Step
from newsletter.storage.notices import Posted
from newsletter.storage.runs import reconciliation, retention, verification

DAYS = 30
_SAMPLE = 500  #: confirmations
_LATEST_ROWS = 20_000  #: of the ledger, in which these confirmations are searched


@dataclass(frozen=True)
class Day:
    """How many requests reached each step on one day."""

    day: date
    numbers: Mapping[Step, int]


@dataclass(frozen=True)
class OpenErasures:
    """How many erasures are not completed, and since when the oldest is open."""

    number: int
    since: datetime


@dataclass(frozen=True)
class Today:
    """What the page shows; a time is None if something has never happened."""

    days: Sequence[Day]
    median_to_confirm: timedelta | None
    verified_at: datetime | None
    reconciled: reconciliation.LastResult | None
    retention_at: datetime | None
    retention_next: datetime
    open_erasures: OpenErasures | None
    notices: Sequence[Posted]

    def total(self, step: Step) -> int:
        """How many reached a step in all these days."""
        return sum(day.numbers[step] for day in self.days)


def today() -> Today:
    now = clock.now()
    return Today(
        days=_days(now.astimezone(config.current().zone).date()),
        median_to_confirm=_median_to_confirm(now),
        verified_at=verification.last_ended_at(),
        reconciled=reconciliation.last_result(),
        retention_at=retention.last_ended_at(),
        retention_next=jobs.last_night(now + timedelta(days=1)),
        open_erasures=_open_erasures(),
        notices=notices.current(),
    )


def _days(last: date) -> list[Day]:
    first = last - timedelta(days=DAYS - 1)
    counts = daily_counts.since(first)
    days = (first + timedelta(days=number) for number in range(DAYS))
    return [Day(day, {step: counts.get((day, step), 0) for step in Step}) for day in days]


def _median_to_confirm(now: datetime) -> timedelta | None:
    """The median time from a request to its confirmation, of the last confirmations in these days."""
    asked = aliased(LedgerRow)
    is_its_request = and_(
        asked.ref == LedgerRow.ref,
        asked.round == LedgerRow.round,
        asked.event == Event.SIGNUP,
    )
    first_asked = select(func.min(asked.at)).where(is_its_request).scalar_subquery()
    query = (
        select(LedgerRow.at, first_asked.label("asked_at"))
        .where(LedgerRow.event == Event.CONFIRMED, LedgerRow.at > now - timedelta(days=DAYS))
        .order_by(LedgerRow.id.desc())
        .limit(_SAMPLE)
    )
    with reading() as session:
        # By itself: PostgreSQL takes rows after an unknown number for a third of the table, and starts processes.
        newest = session.scalar(select(func.max(LedgerRow.id))) or 0
        rows = session.execute(query.where(LedgerRow.id > newest - _LATEST_ROWS)).all()
    times = [row.at - row.asked_at for row in rows if row.asked_at is not None]
    return median(times) if times else None


def _open_erasures() -> OpenErasures | None:
    query = select(func.count(), func.min(Erasure.requested_at))
    with reading() as session:
        number, since = session.execute(query.where(Erasure.completed_at.is_(None))).one()
    return OpenErasures(number, since) if number else None
