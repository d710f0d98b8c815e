"""The desk: pages for staff at /desk, signed in with a token of ADMIN_TOKENS."""

from __future__ import annotations

from flask import Flask

from newsletter.config import Settings
from newsletter.web.desk import (
    consent_texts,
    erasures,
    importing,
    inquiries,
    people,
    sign_in,
    texts,
    today,
    waiting,
)
from newsletter.web.desk.pages import bp
from newsletter.web.desk.sessions import install as install_sessions

#: Their import adds the views to the blueprint.
VIEWS = (sign_in, today, waiting, people, erasures, consent_texts, texts, inquiries, importing)


def install(app: Flask, settings: Settings) -> None:
    """Add the pages to an application."""
    install_sessions(app, settings)
    app.register_blueprint(bp)
