"""The API description as a page: Swagger UI, served from our own origin."""

from __future__ import annotations

from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, make_response, render_template, send_from_directory

from newsletter.web.openapi.endpoint import PAGE, Endpoint, file_of

#: Swagger UI is a script, and draws by data: URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

_ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"

bp = Blueprint("docs", __name__)


@bp.get("/docs")
@Endpoint("This description, as a page.", {200: (PAGE,)})
def show() -> Response:
    response = make_response(render_template("pages/docs.html"))
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@bp.get("/docs/<path:filename>")
@file_of("*/*", "A script or style sheet of that page.")
def asset(filename: str) -> Response:
    return send_from_directory(_ASSETS, filename)
