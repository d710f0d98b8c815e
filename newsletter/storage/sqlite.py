"""SQLite: how its file is opened, and for how long its lock is waited for."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from newsletter.config import refuse
from newsletter.domain.errors import SettingsError
from newsletter.storage import deadline, outage

BUSY_SECONDS = 10.0

#: SQLite has one writer, and its own waiting is a lottery; within a process, writers take turns here instead.
_turn = threading.Lock()

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    # What was deleted is overwritten with zeros: an erasure reaches the file.
    "secure_delete=ON",
    # Without it, INSERT OR REPLACE would get around the ledger's DELETE trigger.
    "recursive_triggers=ON",
)


def make_file(path: Path) -> None:
    """Make the database's file where there is none; end the process where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # For its owner alone; what SQLite puts beside it takes after it.
        path.touch(mode=0o600)
    except OSError as error:
        refuse(SettingsError([f"DATABASE_URL: its file cannot be made ({error.strerror})"]))


def listen(engine: Engine, path: Path) -> None:
    """Have an engine use the file in our way."""

    @event.listens_for(engine, "do_connect")
    def _connect(
        _dialect: object, _record: object, _positional: list[Any], named: dict[str, Any]
    ) -> None:
        # The driver would make an empty file, beside which a backup is restored.
        if not path.exists():
            raise sqlite3.OperationalError("unable to open database file")
        named["timeout"] = _patience()

    @event.listens_for(engine, "checkout")
    def _notice_other_file(_: object, record: ConnectionPoolEntry, *__: object) -> None:
        # A file that was removed, or replaced by a backup, goes on taking what nobody will ever find.
        if record.info.get("file") != _identity(path):
            raise InvalidatePoolError

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _identity(path)
        # The driver's own BEGIN is deferred and fails at once when it has to turn into a write.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        driver.execute(f"PRAGMA busy_timeout={_patience() * 1000:.0f}")
        only_reads = connection.get_execution_options().get("only_reads", False)
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")


@contextmanager
def turn() -> Iterator[None]:
    """Write, alone in this process; raise TookTooLong."""
    if not _turn.acquire(timeout=_patience()):
        raise outage.TookTooLong(outage.ALL_BUSY)
    try:
        yield
    finally:
        _turn.release()


def _patience() -> float:
    return min(BUSY_SECONDS, deadline.left())


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        there = path.stat()
    except OSError:
        return None
    return there.st_dev, there.st_ino
