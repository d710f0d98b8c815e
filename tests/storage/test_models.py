"""Partial indexes, whose condition the models name for SQLite alone."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import inspect

from newsletter.storage.models import db
from tests.conftest import both_databases


@both_databases
def test_the_same_indexes_are_partial_on_both_databases(app: Flask) -> None:
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
