"""The plans of the statements that a piece of code sends: whether one of them scans a table that grows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from newsletter.storage.models import db
from tests.listening import listening

_LARGE = ("subscription", "letter", "ledger_row", "seal", "erasure", "quota")
_KINDS = ("SELECT", "UPDATE", "DELETE", "WITH")


class Scans(list[str]):
    """The steps of the plans that read a large table from its beginning to its end, once all was sent."""

    sent = 0  #: statements that have a plan
    plans = ""  #: of all of them


@contextmanager
def scans() -> Iterator[Scans]:
    """Note all statements within, and then ask the current application's database how it carries them out."""
    found = Scans()
    with listening(db.engine) as said:
        yield found
    for statement, values in dict(reversed(said)).items():
        if statement.lstrip().startswith(_KINDS):
            plan = _plan(statement, values)
            found.sent += 1
            found.plans += "\n".join([statement, *plan, ""])
            found += [f"{line}: {statement}" for line in plan if _is_scan(line)]


def _plan(statement: str, values: Any) -> list[str]:
    """PostgreSQL is told to scan only where it has to, since it scans an empty table by preference."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.connect() as connection:
        if not is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        words = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        first = values[0] if isinstance(values, list) else values
        rows = connection.exec_driver_sql(words + statement, first).all()
    return [str(row[-1]) for row in rows]


def _is_scan(line: str) -> bool:
    words = line.replace("Seq Scan on", "SCAN").split()
    if "SCAN" not in words or "INDEX" in words:
        return False
    return words[words.index("SCAN") + 1] in _LARGE
