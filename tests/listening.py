"""What a database is told: by SQLAlchemy, and by statements that pass it by (storage/prepared.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine


@contextmanager
def listening(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Each statement meanwhile, with its values: one row, or a list of rows."""
    said: list[tuple[str, Any]] = []
    names = ("do_execute", "do_executemany")

    def noting(execute: Callable[..., None]) -> Callable[..., None]:
        def note(cursor: Any, statement: str, values: Any, context: Any = None) -> None:
            said.append((statement, values))
            execute(cursor, statement, values, context)

        return note

    for name in names:
        setattr(engine.dialect, name, noting(getattr(engine.dialect, name)))
    try:
        yield said
    finally:
        for name in names:
            delattr(engine.dialect, name)
