"""SQLite: opens the file, and waits for the write lock."""

from __future__ import annotations

import sqlite3
import threading
import time
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
_POLL_SECONDS = 0.0005  #: between two tries to get the lock that another process holds

#: SQLite serves waiting writers in no order: those of one process queue here instead.
_write_lock = threading.Lock()

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    # Deleted data is overwritten with zeros: an erasure reaches the file.
    "secure_delete=ON",
    # Without it, INSERT OR REPLACE would bypass the ledger's DELETE trigger.
    "recursive_triggers=ON",
)


def make_file(path: Path) -> None:
    """Create the database's file if it is missing; end the process with status 2 where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Only for its owner; SQLite gives -wal and -shm the same mode.
        path.touch(mode=0o600)
    except OSError as error:
        refuse(SettingsError([f"DATABASE_URL: its file cannot be made ({error.strerror})"]))


def listen(engine: Engine, path: Path) -> None:
    @event.listens_for(engine, "do_connect")
    def _connect(
        _dialect: object, _record: object, _positional: list[Any], named: dict[str, Any]
    ) -> None:
        # The driver would create an empty file while a backup is being restored.
        if not path.exists():
            raise sqlite3.OperationalError("unable to open database file")
        named["timeout"] = _seconds_to_wait()

    @event.listens_for(engine, "checkout")
    def _discard_if_replaced(_: object, record: ConnectionPoolEntry, *__: object) -> None:
        # A file that was deleted, or replaced by a backup, would still accept writes, which would be lost.
        if record.info.get("file") != _identity(path):
            raise InvalidatePoolError

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _identity(path)
        # The driver's own BEGIN is deferred, and fails at once when it has to become a write.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        only_reads = connection.get_execution_options().get("only_reads", False)
        if not only_reads and _begin_writing(driver):
            return
        driver.execute(f"PRAGMA busy_timeout={_seconds_to_wait() * 1000:.0f}")
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")


def _begin_writing(driver: sqlite3.Connection) -> bool:
    """Begin a transaction once no other process writes; False: not in time.

    SQLite's own busy handler polls at growing intervals of up to 100 ms, so that the longest waiter polls least often.
    """
    driver.execute("PRAGMA busy_timeout=0")
    ends = time.monotonic() + _seconds_to_wait()
    while time.monotonic() < ends:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                return False
            time.sleep(_POLL_SECONDS)
        else:
            return True
    return False


@contextmanager
def write_lock() -> Iterator[None]:
    """One writer of this process at a time; raise TookTooLong."""
    if not _write_lock.acquire(timeout=_seconds_to_wait()):
        raise outage.TookTooLong(outage.ALL_BUSY)
    try:
        yield
    finally:
        _write_lock.release()


def _seconds_to_wait() -> float:
    return min(BUSY_SECONDS, deadline.left())


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        file = path.stat()
    except OSError:
        return None
    return file.st_dev, file.st_ino
