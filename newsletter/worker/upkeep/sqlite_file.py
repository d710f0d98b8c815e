"""Cleans SQLite's files of deleted data: neither the database file nor its log keeps any of it.

SQLite overwrites deleted data with zeros (secure_delete), and a checkpoint right after an erasure writes the zeros to
the file and truncates the log. Copies that SQLite left in a page when it moved rows are removed by VACUUM, which
rewrites the file. All writers wait for that, so it runs at night, after retention: 0.13 s for 13 MB, 1.0 s for 98 MB
(100,000 people), 65 s for 3 GB on two cores shared with others.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from newsletter.domain import clock
from newsletter.storage import database, notices, outage
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Erasure
from newsletter.storage.notices import Code
from newsletter.storage.runs import retention
from newsletter.subscriptions import erasures

log = logging.getLogger(__name__)

#: How long to wait for other readers and writers; the next step tries again. Not longer: writers wait for a checkpoint
#: that waits for a reader.
PATIENCE_SECONDS = 1.0
#: After a permanent failure, such as a full disk.
TRY_AGAIN = timedelta(hours=1)
#: When staff are told that the file was not cleaned; one missed night is allowed.
LATE = timedelta(hours=48)

#: An erasure whose data is still in the file: its id, and when rows were last deleted for it.
Pending = tuple[str, datetime]


class Cleaning:
    """It remembers for which erasures a part of the work is done."""

    def __init__(self) -> None:
        self._zeroed: set[Pending] = set()
        self._rewritten: set[Pending] = set()
        self._not_before = datetime.min.replace(tzinfo=UTC)

    def step(self) -> bool:
        """Clean the file as far as possible now; True if an erasure is complete."""
        file = database.file()
        if file is None:
            return False
        pending = _pending_erasures()
        self._zeroed &= pending
        self._rewritten &= pending
        if not pending or clock.now() < self._not_before:
            return False
        try:
            is_clean = self._clean(file, pending)
        except sqlite3.Error as error:
            self._fail(error)
            return False
        if is_clean:
            self._settle(pending)
        else:
            notices.post(Code.FILE_LATE, since=min(at for _, at in pending) + LATE)
        return is_clean

    def _clean(self, file: Path, pending: set[Pending]) -> bool:
        if not pending <= self._rewritten and not _has_been_a_night_since(pending):
            self._zero(file, pending)
            return False
        with closing(_open(file)) as connection:
            if not pending <= self._rewritten:
                connection.execute("VACUUM")
                self._rewritten |= pending
            return _checkpoint(connection)

    def _zero(self, file: Path, pending: set[Pending]) -> None:
        """Write the zeros to the file at once; it is rewritten at night."""
        if not pending <= self._zeroed:
            with closing(_open(file)) as connection:
                if _checkpoint(connection):
                    self._zeroed |= pending

    def _settle(self, pending: set[Pending]) -> None:
        now = clock.now()
        with writing() as session:
            for id_, deleted_at in pending:
                # Not if more was deleted for it meanwhile.
                same = (Erasure.id == id_, Erasure.deleted_at == deleted_at)
                erasure = session.scalar(select(Erasure).where(*same))
                if erasure is not None:
                    erasures.complete_in_file(erasure, now)
        notices.clear(Code.FILE_NOT_CLEANED)
        notices.clear(Code.FILE_LATE)

    def _fail(self, error: sqlite3.Error) -> None:
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return  # somebody writes; the next step tries again
        trouble = outage.trouble_in_file(error)
        self._not_before = clock.now() + TRY_AGAIN
        log.warning("the database file could not be cleaned: %s", trouble)
        notices.post(Code.FILE_NOT_CLEANED, detail=str(trouble))


def _pending_erasures() -> set[Pending]:
    with reading() as session:
        query = select(Erasure.id, Erasure.deleted_at).where(Erasure.file_done_at.is_(None))
        return {(id_, deleted_at) for id_, deleted_at in session.execute(query)}


def _has_been_a_night_since(pending: set[Pending]) -> bool:
    ended_at = retention.last_ended_at()
    return ended_at is not None and min(at for _, at in pending) <= ended_at


def _open(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=PATIENCE_SECONDS, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    return connection


def _checkpoint(connection: sqlite3.Connection) -> bool:
    """Write the log to the file and truncate it; False while somebody still reads an earlier state."""
    (is_busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy
