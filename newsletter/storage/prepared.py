"""A statement that is compiled once and passed to the driver as text, without SQLAlchemy's work on each call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, CursorResult, Dialect, Select
from sqlalchemy.sql.compiler import SQLCompiler


class Prepared:
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

    def fetch_one(self, connection: Connection, values: Mapping[str, object]) -> list[Any]:
        """The values of the only row; raise NoResultFound."""
        row = self.execute(connection, values).one()
        return [
            convert(value) if convert else value
            for convert, value in zip(self._from_driver, row, strict=True)
        ]
