"""How migrations are run: in one transaction, by one process at a time, on both databases alike."""

from __future__ import annotations

import time

from alembic import context
from flask import current_app
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from newsletter.storage.schema import Schema, refuse_unreleased, schema_of

# Any number that nobody else takes: "newsletter" on a telephone's keys, cut short.
_LOCK = 639753837

#: A change of a table waits for whoever reads it, and every sign-up then waits behind the change. So it gives way
#: long before a sign-up gives up (after 5 s), and before PostgreSQL looks for a deadlock (after 1 s),
#: which could make the sign-up its victim; then it tries again, for ten minutes.
_WAIT_MILLISECONDS = 500
_PAUSE_SECONDS = 1.0
_TRIES = 400
_IN_THE_WAY = (LockNotAvailable, DeadlockDetected)


def run(connection: Connection) -> None:
    """Bring one connection's database to the wanted revision; raise OperationalError if it stays locked."""
    for tries_left in reversed(range(_TRIES)):
        try:
            with connection.begin():
                _migrate(connection)
            return
        except OperationalError as error:
            if not tries_left or not isinstance(error.orig, _IN_THE_WAY):
                raise
        time.sleep(_PAUSE_SECONDS)


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Several hosts start a release at once; SQLite's BEGIN IMMEDIATE does the same.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        connection.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_MILLISECONDS}ms'"))
    refuse_unreleased(connection)
    if schema_of(connection) is Schema.AHEAD:
        # The old code is started again: what a later release added stays, and does it no harm.
        return
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
