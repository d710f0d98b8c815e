"""How a class of data ends whose period ends by time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Executable, func, not_, select
from sqlalchemy.orm import InstrumentedAttribute

from newsletter import config
from newsletter.domain import periods
from newsletter.storage.database import reading, writing
from newsletter.storage.runs import retention as runs


@dataclass(frozen=True)
class Next:
    """Rows of a class that end later: how many, and the first day; None if it is not known."""

    count: int
    on: date | None


@dataclass(frozen=True)
class Ending:
    """The rows of a class and their end; each row ends in a transaction of its own."""

    name: str
    key: InstrumentedAttribute[Any]
    began_at: InstrumentedAttribute[Any]
    where: tuple[ColumnElement[bool], ...]
    has_ended: Callable[[datetime], ColumnElement[bool]]
    ends_on: Callable[[datetime], date] | None  #: the first day after the period; None: not known
    end: Callable[[str], bool]  #: False: it has not ended after all
    #: How often the ledger has recorded it so far; None: the run counts it.
    in_ledger: Callable[[], int] | None = None

    def find(self, now: datetime, limit: int | None = None) -> list[str]:
        """Keys of rows that have ended, the oldest first."""
        query = select(self.key).where(*self.where, self.has_ended(now))
        with reading() as session:
            keys = session.scalars(query.order_by(self.began_at, self.key).limit(limit))
            return [str(key) for key in keys]

    def next(self, now: datetime) -> Next:
        query = select(func.count(), func.min(self.began_at))
        with reading() as session:
            is_later = not_(self.has_ended(now))
            count, first = session.execute(query.where(*self.where, is_later)).one()
        if first is None or self.ends_on is None:
            return Next(count, None)
        # The period of the first row may be over already, if the row waits for another one.
        return Next(count, max(self.ends_on(first), day_of(now) + timedelta(days=1)))


def end_by(name: str, statement: Callable[[str], Executable]) -> Callable[[str], bool]:
    """The `end` of an Ending: one statement, which the run counts."""

    def end(key: str) -> bool:
        with writing() as session:
            session.execute(statement(key))
            runs.count(session, name)
        return True

    return end


def day_of(moment: datetime) -> date:
    """The day in TIMEZONE."""
    return moment.astimezone(config.current().zone).date()


def third_year_ended(now: datetime) -> datetime:
    """The time before which a row must have begun for its third calendar year to be over."""
    return periods.ended_before(now, config.current().zone)


def day_after_third_year(began_at: datetime) -> date:
    return periods.kept_until(began_at, config.current().zone) + timedelta(days=1)
