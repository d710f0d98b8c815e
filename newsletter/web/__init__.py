"""HTTP: the views, and what they share.

A view parses the request, makes one call and answers. It holds no product rules and uses no database.
"""

from __future__ import annotations

import re

from flask import Flask

from newsletter.web import desk, monitoring
from newsletter.web.http import access_log, bodies, errors, headers, language, limits, proxies
from newsletter.web.openapi import docs, document, problems
from newsletter.web.openapi.endpoint import file_of
from newsletter.web.views import (
    admin,
    brand,
    confirmation,
    embed,
    health,
    metrics,
    my_data,
    my_data_request,
    not_me,
    proofs,
    receipts,
    signup,
    unsubscribe,
    webhooks,
)

#: Paths that are answered without the database, under whatever path PUBLIC_URL has.
WITHOUT_DATABASE = re.compile(r".*/(?:health|static/.*)")
READINESS = re.compile(r".*/ready")

_VIEWS = (
    signup,
    embed,
    confirmation,
    not_me,
    unsubscribe,
    my_data_request,
    my_data,
    receipts,
    brand,
    webhooks,
    admin,
    proofs,
    health,
    metrics,
    document,
    docs,
    problems,
)


def register(app: Flask) -> None:
    """Register all endpoints with an application that has its settings."""
    settings = app.extensions["settings"]
    app.config["MAX_CONTENT_LENGTH"] = bodies.LONGEST
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's own provider has it
    # None of ours is asynchronous, which Flask would ask of each view and each hook in each request.
    app.ensure_sync = lambda function: function  # type: ignore[assignment,method-assign]
    # Merging slashes would redirect to a URL built from the Host header.
    app.url_map.merge_slashes = False
    # Flask runs after_request functions in reverse order: the access log runs last.
    monitoring.install(app)
    access_log.install(app)
    headers.install(app, settings)
    errors.install(app)
    language.install(app, settings)
    brand.install(app)
    for views in _VIEWS:
        app.register_blueprint(views.bp)
    desk.install(app, settings)
    file_of("*/*", "A style sheet, script or image of the pages.")(app.view_functions["static"])
    limits.install(app, settings)
    proxies.install(app, settings)
