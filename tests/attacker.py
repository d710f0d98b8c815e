"""An attacker with full access to the database: drops the ledger's triggers and constraints, and changes rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import Connection, create_engine, select, text, update
from sqlalchemy.pool import NullPool

from newsletter.ledger import seals
from newsletter.storage.models import LedgerRow, Seal, db

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
    """A transaction without triggers and constraints; a new SQLite connection does not check foreign keys."""
    with app.app_context():
        url = db.engine.url
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in _SQLITE if url.drivername == "sqlite" else _POSTGRESQL:
            connection.execute(text(statement))
        yield connection


def rewrite(app: Flask, position: int) -> None:
    """Change one row, and compute all seals anew from there on."""
    with attacking(app) as connection:
        row_id = select(Seal.row_id).where(Seal.position == position).scalar_subquery()
        connection.execute(update(LedgerRow).where(LedgerRow.id == row_id).values(actor="nobody"))
        before = seals.START
        whole = select(Seal.position, Seal.sealed_at, *LedgerRow.__table__.c)
        whole = whole.join(LedgerRow, LedgerRow.id == Seal.row_id).order_by(Seal.position)
        for row in connection.execute(whole).all():
            before = seals.seal(before, row.position, row.sealed_at, seals.row_as_json(row))
            at = Seal.position == row.position
            connection.execute(update(Seal).where(at).values(seal=before))
