"""The check of the database, on real ones."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from newsletter.app import create_core
from newsletter.cli.check import database
from newsletter.config import load
from newsletter.storage.database import writing
from newsletter.storage.models import db
from tests.conftest import COMPANY, both_databases, on_postgresql, on_sqlite

pytestmark = both_databases

Check = Callable[..., list[str]]
ROLE = "checked"


def findings_at(url: str) -> list[str]:
    app = create_core(load({**COMPANY, "DATABASE_URL": url}))
    try:
        return [str(finding) for finding in database.findings(app)]
    finally:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def check(database_url: str) -> Check:
    """The findings after statements were executed."""

    def check(*statements: str) -> list[str]:
        app = create_core(load({**COMPANY, "DATABASE_URL": database_url}))
        with app.app_context():
            with writing() as session:
                for statement in statements:
                    session.execute(text(statement))
            db.engine.dispose()
        return findings_at(database_url)

    return check


def test_a_released_database_has_no_finding(check: Check) -> None:
    assert check() == []


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("DELETE FROM alembic_version", "has no tables yet"),
        ("DROP TABLE alembic_version", "has no tables yet"),
        ("DELETE FROM keyring", "has no keyring yet"),
    ],
)
def test_a_database_that_was_not_released_is_found(
    check: Check, statement: str, wrong: str
) -> None:
    [found] = check(statement)

    assert wrong in found
    assert found.endswith("; run `newsletter release`.")


def test_a_schema_of_a_later_release_is_found(check: Check) -> None:
    [found] = check("UPDATE alembic_version SET version_num = '9999'")

    assert "the schema of a later release" in found


@on_postgresql
def test_a_read_only_database_is_found(check: Check, database_url: str) -> None:
    name = database_url.rpartition("/")[2]

    [found] = check(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')

    assert found.startswith("DATABASE_URL: the database is read-only")


@pytest.fixture
def as_role(database_url: str) -> Iterator[str]:
    """The same database for a user who owns nothing."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        role = f"{ROLE}_{uuid.uuid4().hex[:8]}"
        connection.execute(f"CREATE ROLE {role} LOGIN")
        yield re.sub(r"//[^@]+@", f"//{role}@", database_url)
        connection.execute(f"DROP OWNED BY {role}")
        connection.execute(f"DROP ROLE {role}")


def grant(database_url: str, as_role: str, what: str) -> None:
    role = as_role.split("//")[1].split("@")[0]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"{what} TO {role}".encode())


@on_postgresql
def test_a_user_without_the_right_to_read_is_found(as_role: str) -> None:
    [found] = findings_at(as_role)

    assert found.startswith("DATABASE_URL: its user may not read our tables; let it own")


@on_postgresql
def test_a_user_without_the_right_to_write_is_found(database_url: str, as_role: str) -> None:
    grant(database_url, as_role, "GRANT SELECT ON ALL TABLES IN SCHEMA public")

    [found] = findings_at(as_role)

    assert found.startswith("DATABASE_URL: its user may not write to the tables; let it own")


@on_postgresql
def test_a_user_needs_no_right_to_change_the_ledger(database_url: str, as_role: str) -> None:
    grant(database_url, as_role, "GRANT ALL ON ALL TABLES IN SCHEMA public")
    role = as_role.split("//")[1].split("@")[0]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"REVOKE UPDATE, DELETE ON ledger_row, seal FROM {role}".encode())

    assert findings_at(as_role) == []


@on_postgresql
def test_a_user_without_the_right_to_create_tables_is_found(
    database_url: str, as_role: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    grant(database_url, as_role, "GRANT USAGE ON SCHEMA public")

    rights, tables = findings_at(as_role)

    assert rights.startswith("DATABASE_URL: its user may not create tables")
    assert tables.startswith("DATABASE_URL: the database has no tables yet")


@on_postgresql
def test_a_missing_database_is_found_without_its_name(database_url: str) -> None:
    [found] = findings_at(database_url.rpartition("/")[0] + "/elsewhere")

    assert found.startswith("DATABASE_URL: the database server has no such database or user")
    assert "elsewhere" not in found


def test_a_postgresql_that_gets_no_more_fixes_is_found() -> None:
    [found] = database.too_old(130022)

    assert str(found).startswith("DATABASE_URL: the server is PostgreSQL 13; move to PostgreSQL 14")
    assert list(database.too_old(140000)) == []


@on_sqlite
def test_a_sqlite_file_that_another_program_locks_is_found(
    check: Check, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    monkeypatch.setattr("newsletter.storage.sqlite.BUSY_SECONDS", 0.1)
    path = database_url.removeprefix("sqlite:///")
    holder: Any = sqlite3.connect(path, isolation_level=None)
    try:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        [found] = findings_at(database_url)
    finally:
        holder.close()

    assert found.startswith("DATABASE_URL: another program holds the SQLite file locked")
