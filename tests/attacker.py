"""Somebody who owns the database: takes away what guards the ledger, and writes into it what they like."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from newsletter.models import db

_SQLITE = [
    *(
        f"DROP TRIGGER IF EXISTS {table}_no_{verb}"
        for table in ("ledger_row", "seal")
        for verb in ("update", "delete")
    ),
    "PRAGMA ignore_check_constraints=ON",
]
_POSTGRESQL = [
    *(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}" for table in ("ledger_row", "seal")),
    "ALTER TABLE seal DROP CONSTRAINT IF EXISTS fk_seal_row_id",
    "ALTER TABLE ledger_row DROP CONSTRAINT IF EXISTS ck_ledger_row_event",
]


@contextmanager
def attacking(app: Flask) -> Iterator[Connection]:
    """One transaction of theirs; on SQLite, a connection of their own looks after no foreign key."""
    with app.app_context():
        url = db.engine.url
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in _SQLITE if url.drivername == "sqlite" else _POSTGRESQL:
            connection.execute(text(statement))
        yield connection
