"""Double opt-in for a newsletter run with Mailchimp. Read lifecycle.py first: it is the product as one table."""

from __future__ import annotations

from flask import Flask

from newsletter import brand, config, database, formatting, keyring, logs, samples, web
from newsletter.errors import SettingsError

__version__ = "0.1.0"


def create_app(settings: config.Settings | None = None) -> Flask:
    """The web process; what the worker and the command line share with it is `create_core`."""
    app = create_core(settings)
    web.register(app)
    return app


def create_core(settings: config.Settings | None = None) -> Flask:
    """An application bound to its settings and its database, without any door; raise SettingsError."""
    settings = settings or config.load_or_exit()
    if settings.brand_dir is not None and (problems := samples.broken(samples.showroom(settings))):
        raise SettingsError(problems)
    logs.configure(settings)
    app = Flask(__name__)
    app.extensions["settings"] = settings
    database.init(app, settings)
    keyring.register(app)
    brand.register(app, settings)
    formatting.register(app)
    return app
