"""Creates the application of a process: settings, database, keys, texts and, for `web`, its endpoints."""

from __future__ import annotations

from flask import Flask

from newsletter import config
from newsletter.app import logs
from newsletter.domain.errors import SettingsError
from newsletter.storage import database
from newsletter.storage.keys import keyring
from newsletter.texts import brand, formatting


def create_app(settings: config.Settings | None = None) -> Flask:
    """The application of the web process."""
    from newsletter import web  # here, since the other processes do not need it

    app = create_core(settings)
    web.register(app)
    return app


def create_core(settings: config.Settings | None = None) -> Flask:
    """The application that all processes share, without endpoints; raise SettingsError."""
    settings = settings or config.load_or_exit()
    if settings.brand_dir is not None:
        # Here, for the same reason.
        from newsletter.web.samples.problems import problems_in
        from newsletter.web.samples.rendering import sample_app

        if problems := problems_in(sample_app(settings)):
            raise SettingsError(problems)
    logs.configure(settings)
    app = brand.new_flask()
    app.extensions["settings"] = settings
    database.init(app, settings)
    keyring.register(app)
    brand.register(app, settings)
    formatting.register(app)
    return app
