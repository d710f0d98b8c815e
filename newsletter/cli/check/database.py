"""The database: whether it answers, is writable, has the current schema, and a keyring that DATA_KEY opens."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from newsletter.cli.check.finding import Finding
from newsletter.domain.errors import Unavailable, WrongDataKey
from newsletter.storage import database, outage, readiness
from newsletter.storage.database import reading
from newsletter.storage.keys import keyring
from newsletter.storage.models import LedgerRow, Model, Seal
from newsletter.storage.outage import Refused, Trouble
from newsletter.storage.schema import Schema, schema_of

OLDEST_POSTGRESQL = 14  #: the oldest that still gets fixes


def findings(app: Flask) -> Iterator[Finding]:
    """What is wrong with the database, up to the first error."""
    with app.app_context():
        found: list[Finding] = []
        try:
            found += _problems()
        except (DBAPIError, Refused) as error:
            found.append(_found(outage.trouble_of(error)))
        if all(finding.is_hint for finding in found) and (trouble := readiness.unwritable()):
            found.append(_found(trouble))
        yield from found


def _found(trouble: Trouble) -> Finding:
    return Finding(trouble.about, trouble.wrong, trouble.remedy)


def _problems() -> Iterator[Finding]:
    with reading() as session:
        is_postgresql = not database.is_sqlite()
        if is_postgresql:
            yield from _server(session)
        schema = schema_of(session.connection())
        if schema is Schema.AHEAD:
            yield Finding(
                "DATABASE_URL",
                "the database has the schema of a later release, which this one can use",
                "install the later release here, too",
                is_hint=True,
            )
        elif schema is not Schema.CURRENT:
            if is_postgresql and not _may_create_tables(session):
                yield _no_rights("may not create tables")
            is_missing = schema is Schema.MISSING
            yield _found(outage.NO_TABLES if is_missing else outage.EARLIER_SCHEMA)
            return
        if is_postgresql and not _may_write(session):
            yield _no_rights("may not write to the tables")
    yield from _keys()


def _server(session: Session) -> Iterator[Finding]:
    number = int(session.scalar(text("SHOW server_version_num")) or 0)
    yield from too_old(number)
    if session.scalar(text("SHOW transaction_read_only")) == "on":
        yield _found(outage.READ_ONLY)


def too_old(server_version_num: int) -> Iterator[Finding]:
    """A PostgreSQL server that is too old; 15.4 has the number 150004."""
    if server_version_num // 10000 < OLDEST_POSTGRESQL:
        yield Finding(
            "DATABASE_URL",
            f"the server is PostgreSQL {server_version_num // 10000}",
            f"move to PostgreSQL {OLDEST_POSTGRESQL} or newer",
        )


def _may_create_tables(session: Session) -> bool:
    query = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
    return bool(session.scalar(text(query)))


def _may_write(session: Session) -> bool:
    tables = {table.name for table in Model.metadata.tables.values()}
    # Nobody needs the right to change the ledger.
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
    return Finding("DATABASE_URL", f"its user {what}", outage.LET_IT_OWN)


def _keys() -> Iterator[Finding]:
    try:
        keyring.current()
    except Unavailable:
        yield _found(outage.NO_KEYRING)
    except WrongDataKey:
        yield Finding(
            "DATA_KEY",
            "does not open this database's keyring",
            "add the one that does to the list: the newest when `newsletter keys rotate` last ran, or that of the"
            " restored backup",
        )
