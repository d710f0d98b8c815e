"""The database: whether it is there, is ours to write to, has this code's schema, and a keyring that opens."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import psycopg
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from newsletter import database, keyring
from newsletter.checkup.finding import Finding
from newsletter.database import reading
from newsletter.errors import Unavailable, WrongDataKey
from newsletter.models import LedgerRow, Model, Seal
from newsletter.schema import Schema, schema_of

OLDEST_POSTGRESQL = 14  #: the oldest that its makers still mend
_RELEASE = "run `newsletter release`"

#: What a server says as it refuses a connection: only there has the driver no code, but the words.
_REFUSALS = {
    "password": ("refuses the sign-in", "put the right user and password into it"),
    "pg_hba.conf": (
        "refuses connections from this host",
        "let the server's pg_hba.conf take them, with ?sslmode=require in the URL if it asks for TLS",
    ),
    "does not exist": (
        "has no such database or user",
        "create it, or put the right name into the URL",
    ),
}
_SQLITE = {
    "SQLITE_NOTADB": ("the file is no SQLite database", "name another file"),
    "SQLITE_CORRUPT": ("the SQLite file is damaged", "restore it from a backup"),
    "SQLITE_FULL": ("the disk of the SQLite file is full", "make room"),
    "SQLITE_BUSY": (
        "another program holds the SQLite file locked",
        "end it, or wait until it is done",
    ),
}


def findings(app: Flask) -> Iterator[Finding]:
    """What is wrong with the database; the first that stops us."""
    with app.app_context():
        try:
            yield from _look()
        except DBAPIError as error:
            yield _broken(error)


def _broken(error: DBAPIError) -> Finding:
    cause = error.orig
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return _no_rights("may not read our tables")
    if isinstance(cause, sqlite3.Error):
        name = getattr(cause, "sqlite_errorname", "")
        wrong, remedy = _SQLITE.get(
            name, ("the SQLite file cannot be used", "see that its disk is there")
        )
        return Finding("DATABASE_URL", wrong, remedy)
    for words, (wrong, remedy) in _REFUSALS.items():
        if words in str(cause):
            return Finding("DATABASE_URL", f"the database server {wrong}", remedy)
    return Finding(
        "DATABASE_URL",
        "the database does not answer",
        "start it, and see that host and port are right and no firewall is between",
    )


def _look() -> Iterator[Finding]:
    with reading() as session:
        is_postgresql = not database.is_sqlite()
        if is_postgresql:
            yield from _server(session)
        schema = schema_of(session.connection())
        if schema is Schema.AHEAD:
            yield Finding(
                "DATABASE_URL",
                "the database has the schema of a later release, with which this one only makes do",
                "install the later release here, too",
                is_hint=True,
            )
        elif schema is not Schema.CURRENT:
            if is_postgresql and not _may_make_tables(session):
                yield _no_rights("may not make tables there")
            lacks = "has no tables yet" if schema is Schema.MISSING else "has an earlier schema"
            yield Finding("DATABASE_URL", f"the database {lacks}", _RELEASE)
            return
        if is_postgresql and not _may_write(session):
            yield _no_rights("may not write to our tables")
    yield from _keys()


def _server(session: Session) -> Iterator[Finding]:
    number = int(session.scalar(text("SHOW server_version_num")) or 0)
    yield from too_old(number)
    if session.scalar(text("SHOW transaction_read_only")) == "on":
        yield Finding(
            "DATABASE_URL",
            "the database only lets us read, as a replica does",
            "name the primary server, or switch default_transaction_read_only off",
        )


def too_old(server_version_num: int) -> Iterator[Finding]:
    """Whether a PostgreSQL, by its own number such as 150004, is older than we are made for."""
    if server_version_num // 10000 < OLDEST_POSTGRESQL:
        yield Finding(
            "DATABASE_URL",
            f"the server is PostgreSQL {server_version_num // 10000}",
            f"move to PostgreSQL {OLDEST_POSTGRESQL} or newer",
        )


def _may_make_tables(session: Session) -> bool:
    query = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
    return bool(session.scalar(text(query)))


def _may_write(session: Session) -> bool:
    tables = {table.name for table in Model.metadata.tables.values()}
    # Nobody needs to be able to change the ledger.
    changing = tables - {LedgerRow.__tablename__, Seal.__tablename__}
    wanted = {"SELECT": tables, "INSERT": tables, "UPDATE": changing, "DELETE": changing}
    query = text(
        "SELECT bool_and(has_table_privilege(quote_ident(name), :privilege))"
        " FROM unnest(CAST(:names AS text[])) AS name"
    )
    return all(
        session.scalar(query, {"privilege": privilege, "names": sorted(names)})
        for privilege, names in wanted.items()
    )


def _no_rights(what: str) -> Finding:
    return Finding(
        "DATABASE_URL",
        f"its user {what}",
        "let it own the database, or run `release`, `web` and `worker` as the same user",
    )


def _keys() -> Iterator[Finding]:
    try:
        keyring.current()
    except Unavailable:
        yield Finding("DATA_KEY", "the database has no keyring yet", _RELEASE)
    except WrongDataKey:
        yield Finding(
            "DATA_KEY",
            "does not open this database's keyring",
            "set the key that was used when the database was made, also beside a newer one",
        )
