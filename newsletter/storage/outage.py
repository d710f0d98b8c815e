"""Explains errors of the database: for `newsletter check`, the other commands, the log and /ready."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from newsletter.domain.errors import Unavailable, WrongDataKey

#: Errors of the database or its keyring as a whole, not of the row being processed.
OF_THE_DATABASE = (SQLAlchemyError, Unavailable, WrongDataKey)


@dataclass(frozen=True)
class Trouble:
    """What is wrong with the database, and what to do; never with the name of the database, user or host."""

    wrong: str
    remedy: str
    about: str = "DATABASE_URL"
    over: str = "the database is back"  #: logged at its end

    def __str__(self) -> str:
        return f"{self.wrong}; {self.remedy}"


_RELEASE = "run `newsletter release`"
NO_TABLES = Trouble("the database has no tables yet", _RELEASE)
EARLIER_SCHEMA = Trouble("the database has an earlier schema", _RELEASE)
NO_KEYRING = Trouble(
    "the database has no keyring yet", _RELEASE, "DATA_KEY", "the database has its keyring"
)
#: This process does not have the DATA_KEY that wrapped the keyring last, or that of a restored backup.
OTHER_KEYRING = Trouble(
    str(WrongDataKey()).rstrip("."),
    "put the one that does into the list of this process, and restart it: the newest, or that of a restored backup",
    "DATA_KEY",
    "DATA_KEY opens this database's keyring again",
)
ALL_BUSY = Trouble("no connection to the database has become free in time", "see why it is slow")
NO_TIME = Trouble(
    "a request waited too long for a thread", "see what is slow, or raise WEB_CONCURRENCY"
)
#: Consequences of another trouble.
CONSEQUENCES = (ALL_BUSY, NO_TIME)
_AWAY = Trouble(
    "the database does not answer",
    "start it, and see that host and port are right and no firewall is between",
)
_HANGS = Trouble(
    "the database does not answer in time", "see what its server waits for, or restart that"
)
LET_IT_OWN = "let it own the database, or run `release`, `web` and `worker` as the same user"
READ_ONLY = Trouble(
    "the database is read-only, as a replica is",
    "name the primary server, or switch default_transaction_read_only off",
)
_SERVER_FULL = Trouble("the disk of the database server is full", "make room")
FILE_FULL = Trouble("the disk of the SQLite file is full", "make room")
_LOCKED = "55P03"
#: By PostgreSQL's error code (its manual, appendix A), once we are connected.
_SQLSTATES = {
    "42P01": NO_TABLES,
    "42703": EARLIER_SCHEMA,
    "42501": Trouble("its user may not read our tables", LET_IT_OWN),
    _LOCKED: Trouble(
        "somebody else holds our tables for long (LockNotAvailable)",
        "see what reads or writes there so long, and do it again",
    ),
    "25006": READ_ONLY,
    "53100": _SERVER_FULL,
    "53300": Trouble(
        "the database server has no connection left", "raise its max_connections, or use fewer"
    ),
}
#: Classes of error codes about the server's state: connection, resources, operator, system, internal error.
_SERVER_STATES = ("08", "53", "55", "57", "58", "XX")
#: By words in the message, since the driver has no error code while it connects.
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
    "too many": _SQLSTATES["53300"],
}
#: By the prefix of SQLite's name of the error.
_SQLITE = {
    "SQLITE_NOTADB": Trouble("the file is no SQLite database", "name another file"),
    "SQLITE_CORRUPT": Trouble("the SQLite file is damaged", "restore it from a backup"),
    "SQLITE_FULL": FILE_FULL,
    "SQLITE_BUSY": Trouble(
        "another program holds the SQLite file locked", "end it, or wait until it is done"
    ),
    "SQLITE_READONLY": Trouble(
        "the SQLite file is read-only",
        "let the user of `web` and `worker` write to the file and its folder",
    ),
}
#: The driver raises a DatabaseError for these, not an OperationalError.
_DAMAGES = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
_SQLITE_WORDS = {"no such table": NO_TABLES, "no such column": EARLIER_SCHEMA}


class Refused(Unavailable):
    """The database was not called: the breaker is open, or no time is left."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__()


class TookTooLong(Refused):
    """Other writers of this process held the write lock for too long."""


def trouble_of(error: Exception) -> Trouble:
    """The trouble behind an error of the database."""
    if isinstance(error, Refused):
        return error.trouble
    if isinstance(error, Unavailable):
        return NO_KEYRING
    if isinstance(error, WrongDataKey):
        return OTHER_KEYRING
    if isinstance(error, PoolTimeoutError):
        return ALL_BUSY
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return trouble_in_file(cause)
    if (code := _sqlstate(error)) is not None:
        other = Trouble(f"the database failed (SQLSTATE {code})", "see its own log")
        # 57P: the server shuts down or starts.
        return _SQLSTATES.get(code, _AWAY if code.startswith("57P") else other)
    if _has_timed_out(error):
        return _HANGS
    return next((trouble for words, trouble in _REFUSALS.items() if words in str(cause)), _AWAY)


def is_outage(error: Exception) -> bool:
    """Whether an error comes from the state of the database or its keyring, not from a bug."""
    states = OperationalError | InterfaceError | PoolTimeoutError | Unavailable | WrongDataKey
    if isinstance(error, states):
        return True
    code = _sqlstate(error) or ""
    return code in _SQLSTATES or code.startswith(_SERVER_STATES) or _sqlite_name(error) in _DAMAGES


def is_time_out(error: Exception) -> bool:
    """Whether waiting for the database, a connection or a lock timed out."""
    if isinstance(error, PoolTimeoutError | TookTooLong) or _has_timed_out(error):
        return True
    return _sqlstate(error) == _LOCKED or _sqlite_name(error).startswith("SQLITE_BUSY")


def is_full(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and trouble_of(error) in (_SERVER_FULL, FILE_FULL)


def _sqlstate(error: Exception) -> str | None:
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None


def _sqlite_name(error: Exception) -> str:
    return getattr(error.orig, "sqlite_errorname", "") if isinstance(error, DBAPIError) else ""


def _has_timed_out(error: Exception) -> bool:
    # By its name: importing postgresql.py would load the driver.
    return isinstance(error, DBAPIError) and type(error.orig).__name__ == "TimedOut"


def trouble_in_file(cause: sqlite3.Error) -> Trouble:
    """The trouble behind an error of SQLite's driver."""
    name = getattr(cause, "sqlite_errorname", "")
    other = Trouble(
        "the SQLite file cannot be used", "see that its disk is there, and can be written to"
    )
    by_words = (trouble for words, trouble in _SQLITE_WORDS.items() if words in str(cause))
    by_name = (trouble for prefix, trouble in _SQLITE.items() if name.startswith(prefix))
    return next(by_words, None) or next(by_name, other)
