"""Migrates the database with Alembic, for `newsletter release` and for developers.

Developers write and inspect migrations with `flask --app newsletter.cli.migrate db …`.
"""

from __future__ import annotations

import flask_migrate
from flask import Flask, current_app

from newsletter.app import create_core
from newsletter.storage import deadline
from newsletter.storage.models import db


def create_app() -> Flask:
    """The application for Flask's `db` commands."""
    app = create_core()
    bind(app)
    return app


def bind(app: Flask) -> None:
    """Register Alembic with an application."""
    folder = str(app.extensions["migrations"])
    flask_migrate.Migrate(app, db, directory=folder, render_as_batch=True, compare_type=True)


def upgrade(revision: str = "head") -> None:
    """Migrate the current application's database to a revision."""
    bind(current_app._get_current_object())  # type: ignore[attr-defined]  # it is a proxy
    with deadline.unlimited():
        flask_migrate.upgrade(revision=revision)
