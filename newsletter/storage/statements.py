"""Writes single rows with cached statements: a sign-up takes a third of the time that the session's flush needs.

On PostgreSQL, rows that are written `together` share one statement, and so one round trip. Those of many people are
written `in_bulk`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Connection,
    CursorResult,
    Dialect,
    Row,
    Select,
    bindparam,
    false,
    inspect,
    select,
)
from sqlalchemy import update as updating
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Delete, Insert, Update

from newsletter.storage.database import connection_of, is_sqlite
from newsletter.storage.models import Model

_TOGETHER = "rows that are written together"
_DECOY = "rows are sent and not written"


class _How(Enum):
    INSERT = "insert"
    INSERT_NOTHING = "insert nothing"
    INSERT_OR_UPDATE = "insert or update"
    UPDATE = "update"


@dataclass(frozen=True)
class _Shape:
    """The cache key of a statement: its table, its columns, and its kind."""

    model: type[Model]
    columns: tuple[str, ...]
    how: _How


_Part = _Shape | Delete


def insert(session: Session, row: Model) -> None:
    """Insert a new row and attach it to the session, which then tracks its changes."""
    values = {name: value for name, value in vars(row).items() if name != "_sa_instance_state"}
    append(session, type(row), **values)
    make_transient_to_detached(row)
    session.add(row)


def append(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row that this transaction does not change."""
    _write(session, _Shape(model, tuple(values), _How.INSERT), values)


def insert_or_update(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row, or update the one with the same key."""
    _write(session, _Shape(model, tuple(values), _How.INSERT_OR_UPDATE), values)


def insert_missing(session: Session, model: type[Model], **values: object) -> None:
    """Insert a row unless there is one with the same key, also one that another transaction inserts meanwhile."""
    inserting = sqlite.insert if is_sqlite() else postgresql.insert
    connection_of(session).execute(inserting(model).on_conflict_do_nothing(), values)


def add_up(session: Session, model: type[Model], rows: Sequence[Mapping[str, object]]) -> None:
    """Add to the column `number` of rows, which are inserted where they are missing; in a fixed order."""
    inserting = (sqlite.insert if is_sqlite() else postgresql.insert)(model)
    number = inspect(model).columns["number"] + inserting.excluded["number"]
    adding = inserting.on_conflict_do_update(
        index_elements=inspect(model).primary_key, set_={"number": number}
    )
    connection_of(session).execute(adding, list(rows))


def update(session: Session, row: Model) -> None:
    """Write the changed columns of a row."""
    state = inspect(row)
    changed = {
        name: getattr(row, name)
        for name in state.mapper.columns.keys()  # noqa: SIM118 - not a dict
        if name not in state.unmodified
    }
    if not changed:
        return
    keys = {name: getattr(row, name) for name in _keys(type(row))}
    _write(session, _Shape(type(row), tuple(changed), _How.UPDATE), changed | keys)
    for name, value in changed.items():
        set_committed_value(row, name, value)


def delete(session: Session, deleting: Delete, **values: object) -> None:
    """Delete rows by a statement that the caller builds once, and by its parameters."""
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
    waiting: list[tuple[_Part, Mapping[str, Any]]] = []
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
    waiting: list[tuple[_Part, Mapping[str, Any]]] = []
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
    """Send the inserts of the block so that they write no row: they take the time of a sign-up (ADR 6)."""
    session.info[_DECOY] = True
    try:
        yield
    finally:
        del session.info[_DECOY]


def _write(session: Session, part: _Part, values: Mapping[str, Any]) -> None:
    if _DECOY in session.info and isinstance(part, _Shape):
        part = replace(part, how=_How.INSERT_NOTHING)
    waiting: list[tuple[_Part, Mapping[str, Any]]] | None = session.info.get(_TOGETHER)
    if waiting is not None:
        waiting.append((part, values))
    else:
        _send(session, [(part, values)])


def _send(session: Session, written: Sequence[tuple[_Part, Mapping[str, Any]]]) -> None:
    values = {
        name: value
        for number, (part, given) in enumerate(written)
        for name, value in _named(part, number, given).items()
    }
    connection = connection_of(session)
    parts = tuple(part for part, _ in written)
    _prepared(parts, connection.dialect).execute(connection, values)


def fetch(session: Session, query: Select[Any], **values: object) -> Sequence[Any]:
    """The one row of a query that is made once; raise NoResultFound."""
    connection = connection_of(session)
    prepared = _prepared_query(query, connection.dialect)
    return prepared.converted(prepared.execute(connection, values).one())


class _Prepared:
    """A statement compiled once, and given to the driver as it is: compiling, caching and converting cost more."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - tells mypy
        self._sql = str(compiled)
        self._constants = dict(compiled.params)
        self._order = compiled.positiontup
        self._to_driver = {
            name: convert
            for bind, name in compiled.bind_names.items()
            if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect))
        }
        columns = statement.selected_columns if isinstance(statement, Select) else ()
        self._from_driver = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]

    def execute(self, connection: Connection, values: Mapping[str, object]) -> CursorResult[Any]:
        return connection.exec_driver_sql(self._sql, self._given(values))

    def execute_all(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        connection.exec_driver_sql(self._sql, [self._given(values) for values in rows])

    def _given(self, values: Mapping[str, object]) -> Any:
        """The values as the driver takes them, by name or in order."""
        given = {**self._constants, **values}
        for name, convert in self._to_driver.items():
            given[name] = convert(given[name])
        return given if self._order is None else tuple(given[name] for name in self._order)

    def converted(self, row: Row[Any]) -> Sequence[Any]:
        return [
            convert(value) if convert else value
            for convert, value in zip(self._from_driver, row, strict=True)
        ]


def _named(part: _Part, number: int, given: Mapping[str, Any]) -> dict[str, Any]:
    prefix = "" if isinstance(part, Delete) else f"{number}_"
    return {f"{prefix}{name}": value for name, value in given.items()}


@cache
def _prepared_query(query: Select[Any], dialect: Dialect) -> _Prepared:
    return _Prepared(query, dialect)


@cache
def _prepared(parts: tuple[_Part, ...], dialect: Dialect) -> _Prepared:
    """One statement for all parts (a WITH that changes data; PostgreSQL, 7.8.4).

    Foreign keys are looked at when all of it is done.
    """
    *others, last = (
        part
        if isinstance(part, Delete)
        else _made(part, f"{number}_", on_sqlite=dialect.name == "sqlite")
        for number, part in enumerate(parts)
    )
    ctes = (other.cte(f"part_{number}") for number, other in enumerate(others))
    return _Prepared(last.add_cte(*ctes), dialect)


def _made(shape: _Shape, prefix: str, *, on_sqlite: bool) -> Insert | Update:
    table = inspect(shape.model)
    values = {
        name: bindparam(prefix + name, type_=table.columns[name].type) for name in shape.columns
    }
    if shape.how is _How.UPDATE:
        keys = (table.columns[name] == bindparam(prefix + name) for name in _keys(shape.model))
        return updating(shape.model).where(*keys).values(values)
    inserting = (sqlite.insert if on_sqlite else postgresql.insert)(shape.model).inline()
    if shape.how is _How.INSERT_NOTHING:
        return inserting.from_select(shape.columns, select(*values.values()).where(false()))
    inserting = inserting.values(values)
    if shape.how is _How.INSERT:
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
