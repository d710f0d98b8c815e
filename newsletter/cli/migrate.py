"""Bringing a database to the newest schema, with Alembic: for `newsletter release`, and for developers.

`flask --app newsletter.cli.migrate db …` writes and looks at migrations.
"""

from __future__ import annotations

import flask_migrate
from flask import Flask, current_app

from newsletter.app import create_core
from newsletter.storage import deadline
from newsletter.storage.models import db


def create_app() -> Flask:
    """What Flask's `db` commands work on."""
    app = create_core()
    bind(app)
    return app


def bind(app: Flask) -> None:
    """Make Alembic known to an application."""
    folder = str(app.extensions["migrations"])
    flask_migrate.Migrate(app, db, directory=folder, render_as_batch=True, compare_type=True)


def upgrade(revision: str = "head") -> None:
    """Bring the application's database to a revision."""
    bind(current_app._get_current_object())  # type: ignore[attr-defined]  # it is a proxy
    with deadline.without():
        flask_migrate.upgrade(revision=revision)
