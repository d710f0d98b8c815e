"""Verifies the ledger: compares each seal with the row that it covers, in order, up to the first fault.

A fault is a changed column of a row or a seal; a row or seal that is missing, inserted or swapped; a gap between seals;
a row without a seal before a row with one. Rows after the last seal are not sealed yet, and are counted. Truncation,
and a ledger that was rewritten with all of its seals, cannot be seen from the ledger alone: comparison.py finds those.
Rows and seals are read page by page, so that memory does not grow with the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from newsletter.ledger import sealing, seals
from newsletter.ledger.sealing import ROW, Head
from newsletter.storage.database import reading
from newsletter.storage.models import LedgerRow, Seal

PAGE = 5000  #: seals compared in one step, in about a tenth of a second

#: What drivers and column types raise for a value that was tampered with.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
#: SQLite's driver has no error code for text that is not UTF-8.
_NOT_UTF_8 = "Could not decode to UTF-8"


@dataclass(frozen=True)
class Fault:
    position: int
    row_id: int | None  #: None: not known
    what: str

    def __str__(self) -> str:
        row = "" if self.row_id is None else f", row {self.row_id}"
        return f"Position {self.position}{row}: {self.what}."


class Verification:
    """One verification of all rows that were sealed when it began, page by page."""

    def __init__(self) -> None:
        with reading() as session:
            self.head = sealing.head(session)
        self.fault: Fault | None = None
        self.unsealed = 0  #: rows after the last seal
        self._last = Head()
        self._page = PAGE

    @property
    def checked(self) -> int:
        """How many rows were verified."""
        return self._last.position

    def step(self) -> bool:
        """Compare a page; False when everything is compared, or there is a `fault`."""
        try:
            with reading() as session:
                self.fault = self._compare(session)
                has_ended = self._last.position >= self.head.position
                if has_ended:
                    self.unsealed = self._count_unsealed(session)
        except (*_UNREADABLE, OperationalError) as error:
            if isinstance(error, OperationalError) and _NOT_UTF_8 not in str(error.orig):
                raise
            if self._page > 1:
                # One by one, to find the position.
                self._page = 1
                return True
            position = self._last.position + 1
            self.fault = Fault(
                position, None, "the row or its seal has a value that cannot be read"
            )
        return self.fault is None and not has_ended

    def _compare(self, session: Session) -> Fault | None:
        query = sealing.SEAL.where(Seal.position <= self.head.position)
        if self._last.position:
            query = query.where(Seal.position > self._last.position)
        page = session.execute(query.order_by(Seal.position).limit(self._page))
        sealed = [Head(*each) for each in page]
        if not sealed and self._last.position < self.head.position:
            return Fault(self._last.position + 1, None, "the seal is missing")
        rows = self._rows(session, sealed[-1].row_id) if sealed else []
        for seal, row in zip(sealed, chain(rows, repeat(None)), strict=False):
            fault = _fault(self._last, seal, row)
            if fault is not None:
                return fault
            self._last = seal
        return None

    def _rows(self, session: Session, up_to: int | None) -> Sequence[seals.Row]:
        """A page of the rows after the last one, up to an id."""
        query = select(*ROW).where(ROW.id <= up_to).order_by(ROW.id)
        if self._last.row_id is not None:
            query = query.where(ROW.id > self._last.row_id)
        return sealing.read_rows(session, query.limit(self._page))

    def _count_unsealed(self, session: Session) -> int:
        query = select(func.count()).select_from(LedgerRow)
        if self.head.row_id is not None:
            query = query.where(ROW.id > self.head.row_id)
        return session.scalar(query) or 0


def _fault(last: Head, seal: Head, row: seals.Row | None) -> Fault | None:
    """The fault of the seal and the row that follow the last ones."""
    expected = last.position + 1
    assert seal.row_id is not None and seal.sealed_at is not None  # noqa: S101, PT018 - tells mypy
    if seal.position > expected:
        return Fault(expected, None, "the seal is missing")
    if seal.position < expected:
        return Fault(seal.position, seal.row_id, "a seal stands before the first")
    if row is None or row.id > seal.row_id:
        return Fault(seal.position, seal.row_id, "the row is missing, or is not after the last one")
    if row.id < seal.row_id:
        what = "the row has no seal, though a later one has"
        return Fault(expected, row.id, f"{what}: it was inserted, or its seal was deleted")
    made = seals.seal_row(last.seal, seal.position, seal.sealed_at, row)
    if made != seal.seal:
        return Fault(seal.position, row.id, "the row, or its seal, is not what was sealed")
    return None
