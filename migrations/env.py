"""How migrations are run: in one transaction, by one process at a time, on both databases alike."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

# Any number that nobody else takes: "newsletter" on a telephone's keys, cut short.
_LOCK = 639753837


def run(connection: Connection) -> None:
    """Bring one connection's database to the wanted revision."""
    with connection.begin():
        if connection.dialect.name == "postgresql":
            # Several hosts start a release at once; SQLite's BEGIN IMMEDIATE does the same.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        migrate = current_app.extensions["migrate"]
        context.configure(
            connection=connection,
            target_metadata=migrate.db.metadata,
            # SQLite takes DDL in a transaction, once the driver's own BEGIN is out of the way.
            transactional_ddl=True,
            **migrate.configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with current_app.extensions["migrate"].db.engine.connect() as own:
        run(own)
