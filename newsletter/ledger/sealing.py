"""Sealing the ledger: rows get their seals in order, in batches, so that no caller ever waits for it.

A row below one that is sealed is never sealed: whoever slips it in later is found by `newsletter ledger verify`. On
PostgreSQL, rows become visible out of order, since their ids are drawn before they are committed. So, as CREATE INDEX
CONCURRENTLY does, all is sealed up to the greatest id that was seen, once every transaction that was writing at that
moment has ended: it took its lock on the table before it drew an id, and the next ones draw greater ones.
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
from newsletter.ledger import seals
from newsletter.storage.database import is_sqlite, reading, writing
from newsletter.storage.models import LedgerRow, Seal

BATCH = 1000  #: rows sealed in one transaction, so that on SQLite no sign-up waits long for it
#: So long may a row stand without its seal before staff are told: sealing takes 2 s, a long transaction longer.
OVERDUE = timedelta(minutes=1)

#: Transactions that may have drawn an id that nobody sees yet.
_WRITERS = text(
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND relation = 'ledger_row'::regclass AND mode = 'RowExclusiveLock'"
    " AND pid IS DISTINCT FROM pg_backend_pid()"
)
#: The columns of a row, read without the session's bookkeeping.
ROW = LedgerRow.__table__.c
SEAL = select(Seal.position, Seal.row_id, Seal.seal, Seal.sealed_at)


class Head(NamedTuple):
    """A seal, such as the newest one; without arguments, what the first one follows."""

    position: int = 0
    row_id: int | None = None
    seal: bytes = seals.START
    sealed_at: datetime | None = None


@dataclass(frozen=True)
class _Horizon:
    """Up to which row all may be sealed, once these transactions have ended."""

    row_id: int
    writers: frozenset[str]


def head(session: Session) -> Head:
    """The newest seal there is."""
    newest = session.execute(SEAL.order_by(Seal.position.desc()).limit(1)).first()
    return Head() if newest is None else Head(*newest)


def seal_at(session: Session, position: int) -> Head | None:
    """The seal at a position; None where there is none."""
    found = session.execute(SEAL.where(Seal.position == position)).first()
    return None if found is None else Head(*found)


class Sealing:
    """Seals what can be sealed; it remembers for whom it waits."""

    def __init__(self) -> None:
        self._horizon: _Horizon | None = None

    def step(self) -> bool:
        """Seal a batch; True if there may be more to seal right away."""
        up_to = self._look()
        return up_to is not None and _seal(up_to)

    def _look(self) -> int | None:
        """Up to which row all may be sealed now; None: none, or somebody who began before still writes."""
        with reading() as session:
            sealed = head(session).row_id
            # The order matters: who draws an id after the second look draws a greater one.
            newest = session.scalar(select(func.max(ROW.id)))
            writers = _writers(session)
        if newest is None or (sealed is not None and newest <= sealed):
            self._horizon = None
            return None
        last = self._horizon
        # Beyond the newest row, it is of a database that has been replaced since.
        if last is None or last.row_id > newest or (sealed is not None and last.row_id <= sealed):
            self._horizon = _Horizon(newest, writers)
        else:
            self._horizon = _Horizon(last.row_id, last.writers & writers)
        return None if self._horizon.writers else self._horizon.row_id


def _writers(session: Session) -> frozenset[str]:
    return frozenset() if is_sqlite() else frozenset(session.scalars(_WRITERS))


def _seal(up_to: int) -> bool:
    """Seal a batch of the rows up to one of them; True unless there was none, or a wrong seal stands in the way."""
    last = Head()
    try:
        with writing() as session:
            last = head(session)
            rows = select(*ROW).where(ROW.id <= up_to).order_by(ROW.id).limit(BATCH)
            if last.row_id is not None:
                rows = rows.where(ROW.id > last.row_id)
            made = _made(last, read(session, rows), clock.now())
            if made:
                session.connection().execute(insert(Seal), made)
    except IntegrityError:
        # Another worker, whose lease ended meanwhile, was faster: its seals count. If nobody was, somebody has
        # changed the seals, which is for verifying.py to tell, and trying again would be in vain.
        with reading() as session:
            return head(session).position > last.position
    return bool(made)


def read(session: Session, query: Select[Any]) -> Sequence[seals.Row]:
    """Rows of the ledger as they are sealed and checked, by a query for their columns."""
    return cast(Sequence[seals.Row], session.execute(query).all())


def _made(last: Head, rows: Sequence[seals.Row], now: datetime) -> list[dict[str, object]]:
    position, before, made = last.position, last.seal, []
    for row in rows:
        position += 1
        before = seals.seal_row(before, position, now, row)
        made.append({"position": position, "row_id": row.id, "seal": before, "sealed_at": now})
    return made


def complaint() -> str | None:
    """Since when a row waits for its seal; None where none waits long."""
    with reading() as session:
        sealed = head(session).row_id
        oldest = select(ROW.at).order_by(ROW.id).limit(1)
        waits_since = session.scalar(oldest if sealed is None else oldest.where(ROW.id > sealed))
    if waits_since is None or clock.now() - waits_since < OVERDUE:
        return None
    return f"ledger not sealed since {rfc3339(waits_since)}"
