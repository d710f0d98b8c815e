"""The tables that a release makes are those of the models."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect

from newsletter.storage.models import db
from tests.conftest import both_databases

pytestmark = both_databases


def test_a_release_makes_the_tables_of_the_models(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        released = MigrationContext.configure(connection)
        assert compare_metadata(released, db.metadata) == []


def test_the_same_indexes_are_of_some_rows_alone(app: Flask) -> None:
    wanted = {
        index.name
        for table in db.metadata.sorted_tables
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    with app.app_context():
        found = {
            index["name"]
            for table in db.metadata.sorted_tables
            for index in inspect(db.engine).get_indexes(table.name)
            if f"{db.engine.dialect.name}_where" in index.get("dialect_options", {})
        }
    assert found == wanted
    assert "ix_letter_due_at" in found
