"""Double opt-in for a newsletter run with Mailchimp. Read lifecycle.py first: it is the product as one table."""

from __future__ import annotations

from flask import Flask

from newsletter import config, database, formatting, logs, web

__version__ = "0.1.0"


def create_app(settings: config.Settings | None = None) -> Flask:
    """The web process; what the worker and the command line share with it is `create_core`."""
    app = create_core(settings)
    web.register(app)
    return app


def create_core(settings: config.Settings | None = None) -> Flask:
    """An application bound to its settings and its database, without any door."""
    settings = settings or config.load_or_exit()
    logs.configure(settings)
    app = Flask(__name__)
    app.extensions["settings"] = settings
    database.init(app, settings)
    formatting.register(app)
    return app
