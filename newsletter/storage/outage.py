"""Why the database cannot be used, in words: for `newsletter check`, staff's commands, the worker's log and /ready."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from newsletter.domain.errors import Unavailable, WrongDataKey
from newsletter.storage.database import reading
from newsletter.storage.models import Keyring
from newsletter.storage.schema import Schema, schema_of

REPEAT_SECONDS = 60.0  #: how often the log tells of an outage that lasts

#: What the database or its keyring as a whole raises: it says nothing of the one row that was at hand.
OF_THE_DATABASE = (SQLAlchemyError, Unavailable, WrongDataKey)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trouble:
    """What is wrong with the database and what to do, without its name, user, host or password."""

    wrong: str
    remedy: str
    about: str = "DATABASE_URL"
    over: str = "the database is back"  #: what is said when it has ended

    def __str__(self) -> str:
        return f"{self.wrong}; {self.remedy}"


_RELEASE = "run `newsletter release`"
NO_TABLES = Trouble("the database has no tables yet", _RELEASE)
EARLIER_SCHEMA = Trouble("the database has an earlier schema", _RELEASE)
NO_KEYRING = Trouble(
    "the database has no keyring yet", _RELEASE, "DATA_KEY", "the database has its keyring"
)
#: Wrapped anew beside a process that was not given the newest DATA_KEY, or of a backup from before that.
OTHER_KEYRING = Trouble(
    str(WrongDataKey()).rstrip("."),
    "put the one that does into the list of this process, and restart it: the newest, or that of a restored backup",
    "DATA_KEY",
    "DATA_KEY opens this database's keyring again",
)
_BUSY = Trouble("another program holds the database locked", "end it, or wait until it is done")
_ALL_BUSY = Trouble("no connection to the database has become free in time", "see why it is slow")
_AWAY = Trouble(
    "the database does not answer",
    "start it, and see that host and port are right and no firewall is between",
)
LET_IT_OWN = "let it own the database, or run `release`, `web` and `worker` as the same user"
#: By PostgreSQL's code (its appendix A), once we are connected.
_SQLSTATES = {
    "42P01": NO_TABLES,
    "42703": EARLIER_SCHEMA,
    "42501": Trouble("its user may not read our tables", LET_IT_OWN),
    "55P03": Trouble(
        "somebody else holds our tables for long (LockNotAvailable)",
        "see what reads or writes there so long, and do it again",
    ),
}
#: What a server says as it refuses a connection: only there has the driver no code, but the words.
_REFUSALS = {
    "password": Trouble(
        "the database server refuses the sign-in", "put the right user and password into it"
    ),
    "pg_hba.conf": Trouble(
        "the database server refuses connections from this host",
        "let the server's pg_hba.conf take them, with ?sslmode=require in the URL if it asks for TLS",
    ),
    "does not exist": Trouble(
        "the database server has no such database or user",
        "create it, or put the right name into the URL",
    ),
    "too many": Trouble(
        "the database server has no connection left", "raise its max_connections, or use fewer"
    ),
}
_SQLITE = {
    "SQLITE_NOTADB": Trouble("the file is no SQLite database", "name another file"),
    "SQLITE_CORRUPT": Trouble("the SQLite file is damaged", "restore it from a backup"),
    "SQLITE_FULL": Trouble("the disk of the SQLite file is full", "make room"),
    "SQLITE_BUSY": Trouble(
        "another program holds the SQLite file locked", "end it, or wait until it is done"
    ),
}
_SQLITE_WORDS = {"no such table": NO_TABLES, "no such column": EARLIER_SCHEMA}


def trouble_of(error: Exception) -> Trouble:
    """What an error of the database means."""
    if isinstance(error, Unavailable):
        return present() or _BUSY
    if isinstance(error, WrongDataKey):
        return OTHER_KEYRING
    if isinstance(error, PoolTimeoutError):
        return _ALL_BUSY
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return trouble_in_file(cause)
    if (code := getattr(cause, "sqlstate", None)) is not None:
        other = Trouble(f"the database failed (SQLSTATE {code})", "see its own log")
        # 57P: it is being shut down, or starts.
        return _SQLSTATES.get(code, _AWAY if code.startswith("57P") else other)
    return next((told for words, told in _REFUSALS.items() if words in str(cause)), _AWAY)


def is_outage(error: Exception) -> bool:
    """Tell whether an error speaks of the database's state or its keyring's, and not of a mistake of ours."""
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _SQLSTATES:
        return True
    states = OperationalError | InterfaceError | PoolTimeoutError | Unavailable | WrongDataKey
    return isinstance(error, states)


def trouble_in_file(cause: sqlite3.Error) -> Trouble:
    """What an error of SQLite's own means."""
    other = Trouble("the SQLite file cannot be used", "see that its disk is there")
    in_words = (told for words, told in _SQLITE_WORDS.items() if words in str(cause))
    name = getattr(cause, "sqlite_errorname", "")
    return next(in_words, None) or _SQLITE.get(name, other)


def present() -> Trouble | None:
    """What keeps sign-ups from being taken now; None where nothing does. Never raises what the database raises."""
    try:
        with reading() as session:
            schema = schema_of(session.connection())
            if schema in (Schema.MISSING, Schema.BEHIND):
                return NO_TABLES if schema is Schema.MISSING else EARLIER_SCHEMA
            return None if session.scalar(select(exists(select(Keyring.id)))) else NO_KEYRING
    except SQLAlchemyError as error:
        return trouble_of(error)


class OutageLog:
    """Tells the log of an outage as it begins, or its cause is another; once a minute while it lasts; and as it ends.

    Several threads share it: the outage is over when each of those that met it works again. `seconds`: a clock that
    only goes forward.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._met_by: set[str] = set()
        self._told: Trouble | None = None
        self._began = self._told_at = 0.0

    def meet(self, name: str, trouble: Trouble) -> None:
        """Somebody could not use the database."""
        now = self._seconds()
        with self._lock:
            if not self._met_by:
                self._began, self._told = now, None
            self._met_by.add(name)
            if trouble == self._told and now - self._told_at < REPEAT_SECONDS:
                return
            self._told, self._told_at = trouble, now
        log.warning("%s", trouble)

    def work(self, name: str) -> None:
        """Somebody has used the database."""
        with self._lock:
            if name not in self._met_by:
                return
            self._met_by.remove(name)
            if self._met_by or self._told is None:
                return
            over = self._told.over
        log.warning("%s after %.0f s", over, self._seconds() - self._began)
