"""Single rows, written at once: what a sign-up does, the session's own way takes three times as long.

The session waits with all that is new until a flush, and sorts it by what depends on what. On PostgreSQL, rows that
are written together share one statement, and so one trip to the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import bindparam, inspect
from sqlalchemy import insert as any_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.sql import Executable

from newsletter.database import is_sqlite
from newsletter.models import Model

_Inserting = TypeVar("_Inserting", PostgresInsert, SqliteInsert)

_TOGETHER = "rows that are written together"


@dataclass(frozen=True)
class _Shape:
    """What a statement is compiled from: the table, the columns that are given, and what happens to a row there."""

    model: type[Model]
    columns: tuple[str, ...]
    updates: bool = False


def insert(session: Session, row: Model) -> None:
    """Insert a new row; from then on it is watched for changes as any other."""
    values = {name: value for name, value in vars(row).items() if name != "_sa_instance_state"}
    _write(session, _Shape(type(row), tuple(values)), values)
    make_transient_to_detached(row)
    session.add(row)


def append(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row that nobody will change."""
    _write(session, _Shape(model, tuple(values)), values)


def insert_or_update(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row, or update the one there is by its key."""
    _write(session, _Shape(model, tuple(values), updates=True), values)


def insert_missing(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row unless there is one by its key; whoever else does so at the same time does no harm."""
    inserting = sqlite.insert if is_sqlite() else postgresql.insert
    session.connection().execute(inserting(model).on_conflict_do_nothing(), values)


@contextmanager
def together(session: Session) -> Iterator[None]:
    """Rows that are written in here go out at its end, and nothing may look for them before."""
    if is_sqlite():
        yield
        return
    before = session.info.get(_TOGETHER)
    waiting: list[tuple[_Shape, dict[str, Any]]] = []
    session.info[_TOGETHER] = waiting
    try:
        yield
    finally:
        session.info[_TOGETHER] = before
    if waiting:
        values = {
            f"{number}_{name}": value
            for number, (_, row) in enumerate(waiting)
            for name, value in row.items()
        }
        shapes = tuple(shape for shape, _ in waiting)
        session.connection().execute(_writing_together(shapes), values)


def _write(session: Session, shape: _Shape, values: dict[str, Any]) -> None:
    waiting: list[tuple[_Shape, dict[str, Any]]] | None = session.info.get(_TOGETHER)
    if waiting is not None:
        waiting.append((shape, values))
    else:
        statement = _writing(shape, on_sqlite=is_sqlite())
        session.connection().execute(statement, values)


@cache
def _writing(shape: _Shape, *, on_sqlite: bool) -> Executable:
    if not shape.updates:
        return any_insert(shape.model).inline()
    if on_sqlite:
        return _or_update(sqlite.insert(shape.model), shape.model)
    return _or_update(postgresql.insert(shape.model), shape.model)


@cache
def _writing_together(shapes: tuple[_Shape, ...]) -> Executable:
    """One statement that inserts a row of each shape (a WITH that changes data; PostgreSQL, 7.8.4).

    Foreign keys are looked at when all of it is done.
    """
    *others, last = (_named(shape, number) for number, shape in enumerate(shapes))
    parts = [other.cte(f"part_{number}") for number, other in enumerate(others)]
    return last.add_cte(*parts)


def _named(shape: _Shape, number: int) -> PostgresInsert:
    columns = inspect(shape.model).columns
    values = {
        name: bindparam(f"{number}_{name}", type_=columns[name].type) for name in shape.columns
    }
    inserting = postgresql.insert(shape.model).values(values).inline()
    return _or_update(inserting, shape.model) if shape.updates else inserting


def _or_update(inserting: _Inserting, model: type[Model]) -> _Inserting:
    key = inspect(model).primary_key
    others = {
        column.key: inserting.excluded[column.key]
        for column in inspect(model).columns
        if column not in key
    }
    return inserting.on_conflict_do_update(index_elements=key, set_=others)
