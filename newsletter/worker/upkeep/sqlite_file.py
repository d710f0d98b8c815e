"""Cleans SQLite's files of what was erased: nothing of it is left in the file or in its log.

Deleted content is overwritten with zeros at once (secure_delete), and a checkpoint brings the zeros into the file and
empties the log. VACUUM writes the file anew from what is there, so that no page keeps what moved about in it before.
Every writer waits for it: a small file is rewritten at once, a big one at night.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from newsletter import config
from newsletter.domain import clock
from newsletter.storage import database, jobs, notices, outage
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Erasure
from newsletter.storage.notices import Code
from newsletter.subscriptions import erasures

log = logging.getLogger(__name__)

MEGABYTE = 1_000_000
#: VACUUM and the checkpoint after it took 0.13 s of 13 MB, 0.5 s of 51 MB and 1.0 s of 98 MB (100,000 people) on two
#: cores shared with others, and 65 s of 3 GB. Writers wait up to 10 s for it.
AT_ONCE_MB = 100
#: Below this, nobody notices; above, writers get a minute between two.
UNNOTICED_MB = 5
REST = timedelta(minutes=1)
#: A big file is rewritten between these hours, in TIMEZONE, and once: what the night ends is deleted by then.
NIGHT_HOUR, MORNING_HOUR = jobs.NIGHT_HOUR + 1, 6
BIG_REST = timedelta(hours=3)
#: A worker that is never there at night rewrites a big file by day in the end (Art. 12(3) GDPR: within a month).
LONGEST_WAIT = timedelta(days=7)
#: How long one who reads or writes may keep us waiting; the next round finds it again. Not longer: a checkpoint that
#: waits for a reader keeps writers waiting, too.
PATIENCE_SECONDS = 1.0
#: After a failure that does not pass by itself, such as a full disk.
TRY_AGAIN = timedelta(hours=1)

#: After that, staff are told that the file was not cleaned: one night may be missed.
LATE = timedelta(hours=48)

#: What is to be cleaned: an erasure, and when something was last deleted for it.
Dirt = tuple[str, datetime]


class Cleaning:
    """One worker's cleaning; what it has done in part, it need not do again."""

    def __init__(self) -> None:
        self._zeroed: set[Dirt] = set()
        self._rewritten: set[Dirt] = set()
        self._rests_until = self._fails_until = datetime.min.replace(tzinfo=UTC)

    def step(self) -> bool:
        """Clean the file as far as it may be done now; True if an erasure is done with it."""
        file = database.file()
        if file is None:
            return False
        dirt = _dirt()
        self._zeroed &= dirt
        self._rewritten &= dirt
        if not dirt or clock.now() < self._fails_until:
            return False
        notices.post(Code.FILE_LATE, since=min(deleted_at for _, deleted_at in dirt) + LATE)
        try:
            is_clean = self._clean(file, dirt)
        except sqlite3.Error as error:
            self._fail(error)
            return False
        if is_clean:
            self._settle(dirt)
        return is_clean

    def _clean(self, file: Path, dirt: set[Dirt]) -> bool:
        with closing(_open(file)) as own:
            if not dirt <= self._rewritten:
                if clock.now() < self._rests_until or not _may_rewrite(file, dirt):
                    self._zero(own, dirt)
                    return False
                size = _megabytes(file)
                own.execute("VACUUM")
                self._rewritten |= dirt
                self._rests_until = clock.now() + _rest_after(size)
            return _checkpoint(own)

    def _zero(self, own: sqlite3.Connection, dirt: set[Dirt]) -> None:
        """Until the file is rewritten, what was erased is overwritten at least."""
        if not dirt <= self._zeroed and _checkpoint(own):
            self._zeroed |= dirt

    def _settle(self, dirt: set[Dirt]) -> None:
        now = clock.now()
        with writing() as session:
            for id_, deleted_at in dirt:
                # More may have been deleted for it since.
                same = (Erasure.id == id_, Erasure.deleted_at == deleted_at)
                erasure = session.scalar(select(Erasure).where(*same))
                if erasure is not None:
                    erasures.cleaned_from_file(erasure, now)
        notices.clear(Code.FILE_NOT_CLEANED)
        notices.clear(Code.FILE_LATE)

    def _fail(self, error: sqlite3.Error) -> None:
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return  # somebody writes; the next round finds it again
        trouble = outage.trouble_in_file(error)
        self._fails_until = clock.now() + TRY_AGAIN
        log.warning("the database file could not be cleaned: %s", trouble)
        notices.post(Code.FILE_NOT_CLEANED, detail=str(trouble))


def _dirt() -> set[Dirt]:
    with reading() as session:
        query = select(Erasure.id, Erasure.deleted_at).where(Erasure.file_done_at.is_(None))
        return {(id_, deleted_at) for id_, deleted_at in session.execute(query)}


def _open(file: Path) -> sqlite3.Connection:
    own = sqlite3.connect(file, timeout=PATIENCE_SECONDS, isolation_level=None)
    own.execute("PRAGMA synchronous=FULL")
    own.execute("PRAGMA secure_delete=ON")
    return own


def _checkpoint(own: sqlite3.Connection) -> bool:
    """Bring the log into the file and empty it; False while somebody still reads what was."""
    (is_busy, _, _) = own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


def _megabytes(file: Path) -> float:
    return file.stat().st_size / MEGABYTE


def _rest_after(megabytes: float) -> timedelta:
    """How long writers get until the file is rewritten once more."""
    if megabytes <= UNNOTICED_MB:
        return timedelta(0)
    return REST if megabytes <= AT_ONCE_MB else BIG_REST


def _may_rewrite(file: Path, dirt: set[Dirt]) -> bool:
    if _megabytes(file) <= AT_ONCE_MB:
        return True
    now = clock.now()
    is_night = NIGHT_HOUR <= now.astimezone(config.current().zone).hour < MORNING_HOUR
    return is_night or min(deleted_at for _, deleted_at in dirt) < now - LONGEST_WAIT
