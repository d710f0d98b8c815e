"""Writes single rows with cached statements: a sign-up takes a third of the time of the session's flush.

On PostgreSQL, rows that are written `together` share one statement, and so one round trip. `in_bulk` is for the rows of
many people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import (
    Connection,
    Dialect,
    Select,
    bindparam,
    false,
    inspect,
    select,
)
from sqlalchemy import update as updating
from sqlalchemy.orm import Session, make_transient, make_transient_to_detached
from sqlalchemy.sql.dml import Delete, Insert, Update

from newsletter.storage.database import connection_of, is_sqlite, without_transaction
from newsletter.storage.models import Model
from newsletter.storage.prepared import Prepared, prepared

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

#: Keys of `session.info`.
_TOGETHER, _DECOY = "statements.together", "statements.decoy"


class _Kind(Enum):
    INSERT = "insert"
    INSERT_NOTHING = "insert nothing"
    INSERT_OR_UPDATE = "insert or update"
    UPDATE = "update"


@dataclass(frozen=True)
class _Shape:
    """The cache key of a statement: its table, its columns, and its kind."""

    model: type[Model]
    columns: tuple[str, ...]
    kind: _Kind


Row = TypeVar("Row", bound=Model)
_Part = _Shape | Delete
_Write = tuple[_Part, Mapping[str, Any]]


def insert(session: Session, row: Model) -> None:
    """Insert a new row and attach it to the session, which then tracks its changes."""
    values = {name: value for name, value in vars(row).items() if name != "_sa_instance_state"}
    append(session, type(row), **values)
    _attach(session, row)


def _attach(session: Session, row: Model) -> None:
    make_transient_to_detached(row)
    session.add(row)


def append(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row without attaching it to the session."""
    _write(session, _Shape(model, tuple(values), _Kind.INSERT), values)


def insert_or_update(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row, or update the one with the same key."""
    _write(session, _Shape(model, tuple(values), _Kind.INSERT_OR_UPDATE), values)


def insert_missing(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row unless there is one with the same key, or another transaction inserts one meanwhile."""
    inserting = _inserting(model, on_sqlite=is_sqlite())
    connection_of(session).execute(inserting.on_conflict_do_nothing(), values)


def add_up(session: Session, model: type[Model], rows: Sequence[Mapping[str, object]]) -> None:
    """Add to the column `number` of rows, in their order; insert those that are missing."""
    inserting = _inserting(model, on_sqlite=is_sqlite())
    number = inspect(model).columns["number"] + inserting.excluded["number"]
    adding = inserting.on_conflict_do_update(
        index_elements=inspect(model).primary_key, set_={"number": number}
    )
    connection_of(session).execute(adding, list(rows))


def update(session: Session, row: Model) -> None:
    """Write the changed columns of a row."""
    state = inspect(row)
    unmodified = state.unmodified  # found anew each time it is asked for
    changed = {
        name: getattr(row, name)
        for name in state.mapper.columns.keys()  # noqa: SIM118 - not a dict
        if name not in unmodified
    }
    if not changed:
        return
    keys = {name: getattr(row, name) for name in _keys(type(row))}
    set_columns(session, type(row), keys, **changed)
    # The session would look for changes at its end, and find none, in a tenth of a confirmation's time.
    make_transient(row)
    _attach(session, row)


def set_columns(
    session: Session, model: type[Model], keys: Mapping[str, object], **values: object
) -> None:
    """Write columns of a row that the session need not hold."""
    _write(session, _Shape(model, tuple(values), _Kind.UPDATE), {**values, **keys})


def delete(session: Session, deleting: Delete, **values: object) -> None:
    """Delete rows; the caller builds `deleting` once, and `values` are its parameters."""
    _write(session, deleting, values)


@contextmanager
def together(session: Session) -> Iterator[None]:
    """Send the writes of the block as one statement at its end.

    Until then no query finds them, and none of them sees another: all see the tables as they were before.
    """
    if is_sqlite():
        yield
        return
    before = session.info.get(_TOGETHER)
    waiting: list[_Write] = []
    session.info[_TOGETHER] = waiting
    try:
        yield
    finally:
        session.info[_TOGETHER] = before
    if waiting:
        _send(session, waiting)


@contextmanager
def in_bulk(session: Session) -> Iterator[None]:
    """Send the writes of the block at its end, all rows of one kind at once; kinds in the order of their first row.

    Until then no query finds them.
    """
    waiting: list[_Write] = []
    session.info[_TOGETHER] = waiting
    try:
        yield
    finally:
        session.info[_TOGETHER] = None
    kinds: dict[_Part, list[Mapping[str, Any]]] = {}
    for part, given in waiting:
        kinds.setdefault(part, []).append(_named(part, 0, given))
    connection = connection_of(session)
    for part, rows in kinds.items():
        _prepared((part,), connection.dialect).execute_all(connection, rows)


@contextmanager
def decoy(session: Session) -> Iterator[None]:
    """Send the inserts of the block without writing a row: they take the time of a sign-up (ADR 6)."""
    session.info[_DECOY] = True
    try:
        yield
    finally:
        del session.info[_DECOY]


def _write(session: Session, part: _Part, values: Mapping[str, Any]) -> None:
    if _DECOY in session.info and isinstance(part, _Shape):
        part = replace(part, kind=_Kind.INSERT_NOTHING)
    waiting: list[_Write] | None = session.info.get(_TOGETHER)
    if waiting is not None:
        waiting.append((part, values))
    else:
        _send(session, [(part, values)])


def _send(session: Session, written: Sequence[_Write]) -> None:
    values = {
        name: value
        for number, (part, given) in enumerate(written)
        for name, value in _named(part, number, given).items()
    }
    connection = connection_of(session)
    parts = tuple(part for part, _ in written)
    _prepared(parts, connection.dialect).execute(connection, values)


def fetch(session: Session, query: Select[Any], **values: object) -> list[Any]:
    """The only row of a query, which the caller builds once."""
    return _fetch(connection_of(session), query, values)


def fetch_alone(query: Select[Any], **values: object) -> list[Any]:
    """`fetch`, where no transaction is open."""
    with without_transaction() as connection:
        return _fetch(connection, query, values)


def _fetch(connection: Connection, query: Select[Any], values: Mapping[str, object]) -> list[Any]:
    found = prepared(query, connection.dialect).fetch_first(connection, values)
    assert found is not None  # noqa: S101 - tells mypy; such a query has one row
    return found


def find(session: Session, model: type[Row], query: Select[Row], **values: object) -> Row | None:
    """The row that a query finds, attached to the session, in half of the time that the session's own query takes."""
    connection = connection_of(session)
    statement = prepared(query, connection.dialect)
    if (columns := statement.fetch_first(connection, values)) is None:
        return None
    found = dict(zip(statement.names, columns, strict=True))
    key = inspect(model).identity_key_from_primary_key(tuple(found[name] for name in _keys(model)))
    row: Any = session.identity_map.get(key)
    if row is None:
        row = model()
        vars(row).update(found)
        _attach(session, row)
    return cast("Row", row)


def _named(part: _Part, number: int, given: Mapping[str, Any]) -> dict[str, Any]:
    prefix = "" if isinstance(part, Delete) else f"{number}_"
    return {f"{prefix}{name}": value for name, value in given.items()}


@cache
def _prepared(parts: tuple[_Part, ...], dialect: Dialect) -> Prepared:
    """One statement for all parts: data-modifying CTEs (PostgreSQL, 7.8.4). Foreign keys are checked at its end."""
    *others, last = (
        part
        if isinstance(part, Delete)
        else _statement(part, f"{number}_", on_sqlite=dialect.name == "sqlite")
        for number, part in enumerate(parts)
    )
    ctes = (other.cte(f"part_{number}") for number, other in enumerate(others))
    return Prepared(last.add_cte(*ctes), dialect)


def _statement(shape: _Shape, prefix: str, *, on_sqlite: bool) -> Insert | Update:
    table = inspect(shape.model)
    values = {
        name: bindparam(prefix + name, type_=table.columns[name].type) for name in shape.columns
    }
    if shape.kind is _Kind.UPDATE:
        keys = (table.columns[name] == bindparam(prefix + name) for name in _keys(shape.model))
        return updating(shape.model).where(*keys).values(values)
    inserting = _inserting(shape.model, on_sqlite=on_sqlite).inline()
    if shape.kind is _Kind.INSERT_NOTHING:
        return inserting.from_select(shape.columns, select(*values.values()).where(false()))
    inserting = inserting.values(values)
    if shape.kind is _Kind.INSERT:
        return inserting
    others = {
        name: inserting.excluded[name]
        for name in table.columns.keys()  # noqa: SIM118 - not a dict
        if name not in _keys(shape.model)
    }
    return inserting.on_conflict_do_update(index_elements=table.primary_key, set_=others)


@cache
def _keys(model: type[Model]) -> tuple[str, ...]:
    return tuple(name for name, column in inspect(model).columns.items() if column.primary_key)


def _inserting(model: type[Model], *, on_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    """The dialect's INSERT, which has ON CONFLICT. The other database's dialect is not loaded: it takes 2 MB."""
    if on_sqlite:
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(model)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(model)
