"""Seals the ledger: rows get their seals in order of their ids, in batches, after the transactions that wrote them.

A row is never sealed after one with a greater id: `newsletter ledger verify` reports a row that was inserted later.
PostgreSQL assigns an id before the row is committed, so rows become visible out of order. As CREATE INDEX CONCURRENTLY
does, a worker notes the greatest id and the transactions that hold a write lock on the table, and seals up to that id
once those have ended. A transaction takes the lock before it gets an id, so that every later one gets a greater id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.ledger import counting, seals
from newsletter.storage.database import is_sqlite, reading, writing
from newsletter.storage.models import LedgerRow, Seal

BATCH = 1000  #: rows sealed in one transaction, so that on SQLite no sign-up waits long for it
#: Sealing takes 2 s, or as long as an earlier transaction; a row that waits longer is reported.
OVERDUE = timedelta(minutes=1)

#: Transactions that may have an id of a row that is not visible yet.
_WRITERS = text(
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND relation = 'ledger_row'::regclass AND mode = 'RowExclusiveLock'"
    " AND pid IS DISTINCT FROM pg_backend_pid()"
)
#: Columns instead of the model: a walk over the ledger needs no objects in the session.
ROW = LedgerRow.__table__.c
SEAL = select(Seal.position, Seal.row_id, Seal.seal, Seal.sealed_at)


class Head(NamedTuple):
    """A seal; without arguments, the start of the chain before the first seal."""

    position: int = 0
    row_id: int | None = None
    seal: bytes = seals.START
    sealed_at: datetime | None = None


@dataclass(frozen=True)
class _Horizon:
    """All rows up to `row_id` may be sealed once the transactions `writers` have ended."""

    row_id: int
    writers: frozenset[str]


def head(session: Session) -> Head:
    """The newest seal."""
    newest = session.execute(SEAL.order_by(Seal.position.desc()).limit(1)).first()
    return Head() if newest is None else Head(*newest)


def seal_at(session: Session, position: int) -> Head | None:
    """The seal at a position; None where there is none."""
    found = session.execute(SEAL.where(Seal.position == position)).first()
    return None if found is None else Head(*found)


class Sealing:
    """Remembers between steps for which transactions it waits."""

    def __init__(self) -> None:
        self._horizon: _Horizon | None = None

    def step(self) -> bool:
        """Seal a batch; True if there may be more to seal right away."""
        up_to = self._last_sealable()
        return up_to is not None and _seal(up_to)

    def _last_sealable(self) -> int | None:
        """The id up to which all rows may be sealed now; None: no new row, or an earlier transaction still writes."""
        with reading() as session:
            sealed = head(session).row_id
            # In this order: whoever starts writing after the second query gets a greater id.
            newest = session.scalar(select(func.max(ROW.id)))
            if newest is None or (sealed is not None and newest <= sealed):
                self._horizon = None
                return None
            writers = _writers(session)
        last = self._horizon
        # A horizon beyond the newest row is of a database that has been replaced since.
        if last is None or last.row_id > newest or (sealed is not None and last.row_id <= sealed):
            self._horizon = _Horizon(newest, writers)
        else:
            self._horizon = _Horizon(last.row_id, last.writers & writers)
        return None if self._horizon.writers else self._horizon.row_id


def _writers(session: Session) -> frozenset[str]:
    return frozenset() if is_sqlite() else frozenset(session.scalars(_WRITERS))


def _seal(up_to: int) -> bool:
    """Seal a batch of the rows up to an id; False where there was none, or where a wrong seal blocks it."""
    try:
        with writing() as session:
            last = head(session)
            rows = select(*ROW).where(ROW.id <= up_to).order_by(ROW.id).limit(BATCH)
            if last.row_id is not None:
                rows = rows.where(ROW.id > last.row_id)
            batch = read_rows(session, rows)
            made = _sealed(last, batch, clock.now())
            if made:
                session.connection().execute(insert(Seal), made)
                counting.count(session, batch)
    except IntegrityError:
        # Another worker, whose lease ended meanwhile, may have sealed them. Otherwise the seals were tampered with:
        # verifying.py reports that, and trying again would fail again.
        with reading() as session:
            return head(session).position > last.position
    return bool(made)


def read_rows(session: Session, query: Select[Any]) -> Sequence[seals.Row]:
    """Rows of the ledger, by a query for the columns ROW."""
    return cast(Sequence[seals.Row], session.execute(query).all())


def _sealed(last: Head, rows: Sequence[seals.Row], now: datetime) -> list[dict[str, object]]:
    position, before, made = last.position, last.seal, []
    for row in rows:
        position += 1
        before = seals.seal_row(before, position, now, row)
        made.append({"position": position, "row_id": row.id, "seal": before, "sealed_at": now})
    return made


def overdue() -> str | None:
    """A sentence for staff, with the time of the oldest unsealed row; None where no row is overdue."""
    with reading() as session:
        sealed = head(session).row_id
        oldest = select(ROW.at).order_by(ROW.id).limit(1)
        waits_since = session.scalar(oldest if sealed is None else oldest.where(ROW.id > sealed))
    if waits_since is None or clock.now() - waits_since < OVERDUE:
        return None
    return f"ledger not sealed since {rfc3339(waits_since)}"
