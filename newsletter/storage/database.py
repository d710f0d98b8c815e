"""The database: engine options, transactions and locks.

All other modules use `writing()` for a transaction that changes something and `reading()` for one that does not.
Neither is ever open during a network call.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from newsletter.config import Settings
from newsletter.storage import sqlite
from newsletter.storage.breaker import Breaker
from newsletter.storage.models import db
from newsletter.storage.prepared import prepared
from newsletter.storage.schema import migrations_folder

POOL_SIZE = 20
_OPTIONS: dict[str, Any] = {
    # Parameters of statements are personal data: no error message may contain them.
    "hide_parameters": True,
    "pool_size": POOL_SIZE,
    "max_overflow": POOL_SIZE,
    "pool_timeout": 5.0,
    "pool_use_lifo": True,
}
_BREAKERS = "database breakers"
_CONNECTION = "the connection of a transaction"


def init(app: Flask, settings: Settings) -> None:
    """Bind an application to its database, without opening it."""
    url = make_url(settings.database_url)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = dict(_OPTIONS)
    path = Path(url.database) if url.drivername == "sqlite" and url.database else None
    writes = Breaker()
    # A SQLite file that is locked for writers can still be read.
    app.extensions[_BREAKERS] = {"writes": writes, "reads": Breaker() if path else writes}
    if path is not None:
        sqlite.make_file(path)
    else:
        from newsletter.storage import postgresql  # not on SQLite: it takes 9 MB

        app.config["SQLALCHEMY_ENGINE_OPTIONS"]["connect_args"] = dict(postgresql.CONNECT_ARGS)
    db.init_app(app)
    app.extensions["migrations"] = migrations_folder()
    with app.app_context():
        if path is not None:
            sqlite.listen(db.engine, path)
        else:
            postgresql.listen(db.engine)


def is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def _fresh_session() -> Session:
    session = db.session()
    if session.in_transaction():
        # The end of a nested transaction would end the outer one.
        raise RuntimeError("a transaction is open already")
    return session


def breaker() -> Breaker:
    """The circuit breaker of writes."""
    writes: Breaker = current_app.extensions[_BREAKERS]["writes"]
    return writes


def _breaker_of_reads() -> Breaker:
    reads: Breaker = current_app.extensions[_BREAKERS]["reads"]
    return reads


@contextmanager
def own_connection() -> Iterator[Session]:
    """A read-only connection outside of the current transaction; used by the keyring."""
    with (
        _breaker_of_reads().guard(),
        db.engine.connect().execution_options(only_reads=True) as own,
        _changing_nothing(Session(own)) as session,
    ):
        yield session


def connection_of(session: Session) -> Connection:
    """The connection of the open transaction, which `session.connection()` would look up anew for each statement."""
    kept: tuple[object, Connection] | None = session.info.get(_CONNECTION)
    # The session has another transaction after a rollback, and in the next block.
    if kept is None or kept[0] is not session.get_transaction():
        connection = session.connection()
        kept = session.info[_CONNECTION] = session.get_transaction(), connection
    return kept[1]


@contextmanager
def writing() -> Iterator[Session]:
    """One transaction that changes something: committed at the end, rolled back on any exception."""
    session = _fresh_session()
    with breaker().guard(), sqlite.write_lock() if is_sqlite() else nullcontext():
        try:
            yield session
            session.commit()
        finally:
            # Rolls back what was not committed, and detaches the objects, which stay readable.
            session.close()
    breaker().record_write()


@contextmanager
def reading() -> Iterator[Session]:
    """One transaction that changes nothing; on SQLite it waits for no writer."""
    session = _fresh_session()
    with _breaker_of_reads().guard(), _changing_nothing(session):
        session.connection(execution_options={"only_reads": True})
        yield session


@contextmanager
def _changing_nothing(session: Session) -> Iterator[Session]:
    """End the transaction of a session, whose objects are detached and stay readable."""
    try:
        yield session
        # At a ROLLBACK, psycopg would drop all that it has prepared on the connection.
        session.expunge_all()
        session.commit()
    finally:
        session.close()


@contextmanager
def without_transaction() -> Iterator[Connection]:
    """A connection for one query, in a third of the time: no session, and on PostgreSQL no BEGIN and no ROLLBACK."""
    options = {} if is_sqlite() else {"isolation_level": "AUTOCOMMIT"}
    with (
        _breaker_of_reads().guard(),
        db.engine.connect().execution_options(**options) as connection,
    ):
        yield connection


_LOCK = text("SELECT pg_advisory_xact_lock(:number)")
_TRY_LOCK = text(
    "SELECT number FROM unnest(CAST(:numbers AS bigint[])) AS number"
    " WHERE pg_try_advisory_xact_lock(number)"
)
#: The same number, computed from the row's digest by the server: one round trip instead of two.
_LOCK_BY_REF = text(
    "SELECT pg_advisory_xact_lock(('x' || encode(substr(digest, 1, 8), 'hex'))::bit(64)::bigint)"
    " FROM subscription WHERE ref = :ref"
)


def lock(session: Session, *digests: bytes) -> None:
    """Lock these addresses, known or not, until the transaction ends.

    They are locked in a fixed order, so that two transactions never wait for each other. SQLite has one writer and
    needs no lock.
    """
    if is_sqlite():
        return
    for digest in sorted(digests):
        number = int.from_bytes(digest[:8], "big", signed=True)
        connection = connection_of(session)
        prepared(_LOCK, connection.dialect).execute(connection, {"number": number})


def try_lock(session: Session, *digests: bytes) -> set[bytes]:
    """Lock those of these addresses that nobody else has locked; which.

    Unlike `lock`, it may be used where other locks are waited for in another order.
    """
    if is_sqlite():
        return set(digests)
    numbers = {int.from_bytes(digest[:8], "big", signed=True): digest for digest in digests}
    locked = connection_of(session).execute(_TRY_LOCK, {"numbers": list(numbers)})
    return {numbers[number] for (number,) in locked}


def lock_by_ref(session: Session, ref: str) -> None:
    """Lock the address of a row, if there is one, until the transaction ends."""
    if not is_sqlite():
        connection = connection_of(session)
        prepared(_LOCK_BY_REF, connection.dialect).execute(connection, {"ref": ref})


def file() -> Path | None:
    """The SQLite file; None on PostgreSQL."""
    url = current_app.config["SQLALCHEMY_DATABASE_URI"]
    return Path(url.database) if url.drivername == "sqlite" else None
