"""Single rows, written at once: what a sign-up does, the session's own way takes three times as long.

The session waits with all that is new until a flush, and sorts it by what depends on what.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import insert as any_insert
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.sql import Executable

from newsletter.database import is_sqlite
from newsletter.models import Model


def insert(session: Session, row: Model) -> None:
    """Insert a new row; from then on it is watched for changes as any other."""
    values = {name: value for name, value in vars(row).items() if name != "_sa_instance_state"}
    session.connection().execute(_inserting(type(row)), values)
    make_transient_to_detached(row)
    session.add(row)


def append(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row that nobody will change."""
    session.connection().execute(_inserting(model), values)


def insert_missing(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row unless there is one by its key; whoever else does so at the same time does no harm."""
    inserting = sqlite.insert if is_sqlite() else postgresql.insert
    session.connection().execute(inserting(model).on_conflict_do_nothing(), values)


def insert_or_update(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row, or update the one there is by its key."""
    session.connection().execute(_upserting(model, on_sqlite=is_sqlite()), values)


@cache
def _inserting(model: type[Model]) -> Executable:
    return any_insert(model).inline()


@cache
def _upserting(model: type[Model], *, on_sqlite: bool) -> Executable:
    inserting = sqlite.insert(model) if on_sqlite else postgresql.insert(model)
    key = inspect(model).primary_key
    others = {
        column.key: inserting.excluded[column.key]
        for column in inspect(model).columns
        if column not in key
    }
    return inserting.on_conflict_do_update(index_elements=key, set_=others)
