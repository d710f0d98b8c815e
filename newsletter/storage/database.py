"""How the database is spoken to: engine options, transactions, and whether it is ready.

Nothing outside opens a transaction by itself: `writing()` for what changes something, `reading()` for what only
looks. Neither is ever held during a network call.
"""

from __future__ import annotations

import select as lines
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app
from sqlalchemy import Connection, Engine, Select, event, exists, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from newsletter.config import Settings, refuse
from newsletter.domain.errors import SettingsError, Unavailable
from newsletter.domain.lifecycle import Status
from newsletter.storage.models import Erasure, Subscription, db
from newsletter.storage.schema import migrations_folder

if TYPE_CHECKING:  # 9 MB that nobody needs on SQLite
    import psycopg

BUSY_SECONDS = 10.0
POOL_SIZE = 20

#: SQLite has one writer, and its own waiting is a lottery; within a process, writers take turns here instead.
_sqlite_turn = threading.Lock()


def init(app: Flask, settings: Settings) -> None:
    """Bind an application to its database, without opening it."""
    url = make_url(settings.database_url)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(url.drivername)
    if url.drivername == "sqlite" and url.database:
        _make_file(Path(url.database))
    db.init_app(app)
    app.extensions["migrations"] = migrations_folder()
    with app.app_context():
        if is_sqlite():
            _listen_to_sqlite(db.engine, Path(str(url.database)))
        else:
            _listen_to_postgresql(db.engine)


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # For its owner alone; what SQLite puts beside it takes after it.
        path.touch(mode=0o600)
    except OSError as error:
        refuse(SettingsError([f"DATABASE_URL: its file cannot be made ({error.strerror})"]))


def _engine_options(driver: str) -> dict[str, Any]:
    common: dict[str, Any] = {
        # Values of statements are personal data: an error must not show them.
        "hide_parameters": True,
        "pool_size": POOL_SIZE,
        "max_overflow": POOL_SIZE,
        "pool_timeout": BUSY_SECONDS,
        "pool_use_lifo": True,
    }
    if driver == "sqlite":
        return common | {"connect_args": {"timeout": BUSY_SECONDS}}
    return common | {
        "connect_args": {
            "connect_timeout": 5,
            # A pooler in transaction mode hands statements prepared here to other sessions.
            "prepare_threshold": None,
            # A host that dies in the middle of a transaction must not keep its locks for hours.
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
        }
    }


def _listen_to_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _prepare(connection: psycopg.Connection, _record: object) -> None:
        connection.execute(f"SET lock_timeout = '{BUSY_SECONDS:.0f}s'")
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")
        connection.commit()

    @event.listens_for(engine, "checkout")
    def _notice_hang_up(connection: psycopg.Connection, *_: object) -> None:
        # A server that ended has said so on the line; asking it each time would take a round trip.
        line = lines.poll()
        line.register(connection.pgconn.socket, lines.POLLIN)
        if line.poll(0):
            raise InvalidatePoolError


def _listen_to_sqlite(engine: Engine, path: Path) -> None:
    @event.listens_for(engine, "do_connect")
    def _make_none(*_: object) -> None:
        # The driver would make an empty file, beside which a backup is restored.
        if not path.exists():
            raise sqlite3.OperationalError("unable to open database file")

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
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            # What was deleted is overwritten with zeros: an erasure reaches the file.
            "secure_delete=ON",
            # Without it, INSERT OR REPLACE would get around the ledger's DELETE trigger.
            "recursive_triggers=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        only_reads = connection.get_execution_options().get("only_reads", False)
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        there = path.stat()
    except OSError:
        return None
    return there.st_dev, there.st_ino


def is_sqlite() -> bool:
    """Tell whether the application's database is SQLite."""
    return db.engine.dialect.name == "sqlite"


def _fresh_session() -> Session:
    session = db.session()
    if session.in_transaction():
        # One inside the other would end the outer one with the inner.
        raise RuntimeError("a transaction is open already")
    return session


@contextmanager
def apart() -> Iterator[Session]:
    """A look at the database beside whatever transaction is open, for what every transaction needs."""
    with db.engine.connect().execution_options(only_reads=True) as own, Session(own) as session:
        yield session


@contextmanager
def writing() -> Iterator[Session]:
    """One transaction that changes something: committed at the end, undone on any exception."""
    session = _fresh_session()
    with _turn() if is_sqlite() else nullcontext():
        try:
            yield session
            session.commit()
        finally:
            # Undoes what was not committed. What was read stays readable, and nothing stale is left to the next.
            session.close()


@contextmanager
def _turn() -> Iterator[None]:
    if not _sqlite_turn.acquire(timeout=BUSY_SECONDS):
        raise Unavailable
    try:
        yield
    finally:
        _sqlite_turn.release()


@contextmanager
def reading() -> Iterator[Session]:
    """One transaction that only looks; on SQLite it waits for no writer."""
    session = _fresh_session()
    try:
        session.connection(execution_options={"only_reads": True})
        yield session
    finally:
        # What was read stays readable, and is no longer bound to the session.
        session.close()


_LOCK = text("SELECT pg_advisory_xact_lock(:number)")
#: The same number, made of a row's digest where it lies: one trip to the server instead of two.
_LOCK_BY_REF = text(
    "SELECT pg_advisory_xact_lock(('x' || encode(substr(digest, 1, 8), 'hex'))::bit(64)::bigint)"
    " FROM subscription WHERE ref = :ref"
)


def lock(session: Session, *digests: bytes) -> None:
    """Let nobody else act on these addresses until the transaction ends, known or not.

    Always in the same order, so that two who want the same two never wait for each other. On SQLite, whose writers
    are alone anyway, there is nothing to do.
    """
    if is_sqlite():
        return
    for digest in sorted(digests):
        number = int.from_bytes(digest[:8], "big", signed=True)
        session.connection().execute(_LOCK, {"number": number})


def lock_by_ref(session: Session, ref: str) -> None:
    """Let nobody else act on the address of a row until the transaction ends; nothing if the row is gone."""
    if not is_sqlite():
        session.connection().execute(_LOCK_BY_REF, {"ref": ref})


def anyone_confirmed() -> bool:
    """Tell whether somebody is confirmed, and so waits for Mailchimp."""
    return _is_any(select(Subscription.ref).where(Subscription.status == Status.CONFIRMED))


def any_erasure_waits_for_mailchimp() -> bool:
    """Tell whether somebody who was erased here is still to be forgotten there."""
    return _is_any(select(Erasure.id).where(Erasure.mailchimp_done_at.is_(None)))


def _is_any(rows: Select[str]) -> bool:
    with reading() as session:
        return bool(session.scalar(select(exists(rows))))


def file() -> Path | None:
    """SQLite's database file; None on PostgreSQL."""
    url = current_app.config["SQLALCHEMY_DATABASE_URI"]
    return Path(url.database) if url.drivername == "sqlite" else None
