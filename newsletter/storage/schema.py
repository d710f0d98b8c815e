"""Compares the database's schema with this code's migrations; cli/migrate.py upgrades it."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path

from flask import current_app
from sqlalchemy import Connection, inspect, text

from newsletter.domain.errors import UnreleasedSchema

#: Revisions of development versions that were never released: their tables cannot be upgraded.
UNRELEASED = ("0001", "0002", "0003")


class Schema(StrEnum):
    MISSING = "missing"
    BEHIND = "behind"
    CURRENT = "current"
    AHEAD = "ahead"  #: of a later release: this code works with it (docs/upgrading.md)


def migrations_folder() -> Path:
    """The folder of migrations: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


@cache
def revisions(folder: Path) -> tuple[str, ...]:
    """All revisions, the newest first. They are read from the file names, since importing Alembic would take 10 MB."""
    return tuple(sorted((path.stem for path in (folder / "versions").glob("*.py")), reverse=True))


def schema_of(connection: Connection) -> Schema:
    present = _revision(connection)
    if present is None:
        return Schema.MISSING
    known = revisions(current_app.extensions["migrations"])
    if present in UNRELEASED:
        return Schema.BEHIND
    if present not in known:
        return Schema.AHEAD
    return Schema.CURRENT if present == known[0] else Schema.BEHIND


def refuse_unreleased(connection: Connection) -> None:
    """Raise UnreleasedSchema where the tables are of an unreleased version."""
    if _revision(connection) in UNRELEASED:
        raise UnreleasedSchema


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
