"""Double opt-in for a newsletter run with Mailchimp. Read domain/lifecycle.py first: it is the product as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from newsletter.config import Settings

__version__ = "0.1.0"


def create_app(settings: Settings | None = None) -> Flask:
    """The web process as a WSGI application; raises SettingsError.

    Imports on call, so that the pure rooms load neither Flask nor SQLAlchemy.
    """
    from newsletter import app

    return app.create_app(settings)
