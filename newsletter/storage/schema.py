"""How the database's schema stands to this code. cli/migrate.py brings it to the newest."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path

from flask import current_app
from sqlalchemy import Connection, inspect, text

from newsletter.domain.errors import UnreleasedSchema

#: The numbering of development states that were never released: their tables cannot be brought to today's.
UNRELEASED = ("0001", "0002", "0003")


class Schema(StrEnum):
    """How a database's schema stands to this code's migrations."""

    MISSING = "missing"
    BEHIND = "behind"
    CURRENT = "current"
    #: A later release made it. It only added (docs/upgrading.md), so this code goes on with it.
    AHEAD = "ahead"


def migrations_folder() -> Path:
    """Where the migrations lie: in an installed package inside it, in a checkout beside it."""
    package = Path(__file__).parent.parent
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


@cache
def revisions(folder: Path) -> tuple[str, ...]:
    """The schema's revisions, the newest first, by their files' names: the web process does without Alembic's 10 MB."""
    return tuple(sorted((path.stem for path in (folder / "versions").glob("*.py")), reverse=True))


def schema_of(connection: Connection) -> Schema:
    """Tell how a database's schema stands to the application's migrations."""
    if not inspect(connection).has_table("alembic_version"):
        return Schema.MISSING
    present = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if present is None:
        return Schema.MISSING
    known = revisions(current_app.extensions["migrations"])
    if present in UNRELEASED:
        return Schema.BEHIND
    if present not in known:
        return Schema.AHEAD
    return Schema.CURRENT if present == known[0] else Schema.BEHIND


def refuse_unreleased(connection: Connection) -> None:
    """Raise UnreleasedSchema where a development state made the tables."""
    if not inspect(connection).has_table("alembic_version"):
        return
    if connection.scalar(text("SELECT version_num FROM alembic_version")) in UNRELEASED:
        raise UnreleasedSchema
