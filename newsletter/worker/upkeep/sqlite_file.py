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

#: An erasure of which the file is not clean: its id, and when rows were last deleted for it.
Dirt = tuple[str, datetime]


class Cleaning:
    """It remembers for which erasures a part of the work is done."""

    def __init__(self) -> None:
        self._zeroed: set[Dirt] = set()
        self._rewritten: set[Dirt] = set()
        self._fails_until = datetime.min.replace(tzinfo=UTC)

    def step(self) -> bool:
        """Clean the file as far as possible now; True if an erasure is complete."""
        file = database.file()
        if file is None:
            return False
        dirt = _dirt()
        self._zeroed &= dirt
        self._rewritten &= dirt
        if not dirt or clock.now() < self._fails_until:
            return False
        try:
            is_clean = self._clean(file, dirt)
        except sqlite3.Error as error:
            self._fail(error)
            return False
        if is_clean:
            self._settle(dirt)
        else:
            notices.post(Code.FILE_LATE, since=min(at for _, at in dirt) + LATE)
        return is_clean

    def _clean(self, file: Path, dirt: set[Dirt]) -> bool:
        if not dirt <= self._rewritten and not _has_been_a_night_since(dirt):
            self._zero(file, dirt)
            return False
        with closing(_open(file)) as own:
            if not dirt <= self._rewritten:
                own.execute("VACUUM")
                self._rewritten |= dirt
            return _checkpoint(own)

    def _zero(self, file: Path, dirt: set[Dirt]) -> None:
        """Write the zeros to the file at once; it is rewritten at night."""
        if not dirt <= self._zeroed:
            with closing(_open(file)) as own:
                if _checkpoint(own):
                    self._zeroed |= dirt

    def _settle(self, dirt: set[Dirt]) -> None:
        now = clock.now()
        with writing() as session:
            for id_, deleted_at in dirt:
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
        self._fails_until = clock.now() + TRY_AGAIN
        log.warning("the database file could not be cleaned: %s", trouble)
        notices.post(Code.FILE_NOT_CLEANED, detail=str(trouble))


def _dirt() -> set[Dirt]:
    with reading() as session:
        query = select(Erasure.id, Erasure.deleted_at).where(Erasure.file_done_at.is_(None))
        return {(id_, deleted_at) for id_, deleted_at in session.execute(query)}


def _has_been_a_night_since(dirt: set[Dirt]) -> bool:
    ended_at = retention.last_ended_at()
    return ended_at is not None and min(at for _, at in dirt) <= ended_at


def _open(file: Path) -> sqlite3.Connection:
    own = sqlite3.connect(file, timeout=PATIENCE_SECONDS, isolation_level=None)
    own.execute("PRAGMA synchronous=FULL")
    own.execute("PRAGMA secure_delete=ON")
    return own


def _checkpoint(own: sqlite3.Connection) -> bool:
    """Write the log to the file and truncate it; False while somebody still reads an earlier state."""
    (is_busy, _, _) = own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy
