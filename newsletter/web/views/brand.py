"""The company's style sheet, from our own origin, since the CSP allows no other."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, send_file, url_for
from werkzeug.exceptions import NotFound

from newsletter import config
from newsletter.texts import brand
from newsletter.web.http.headers import hash_of
from newsletter.web.openapi.endpoint import file_of

bp = Blueprint("brand", __name__)


def install(app: Flask) -> None:
    """Give templates the URL of the brand's style sheet as `brand_css`; None without one."""
    app.context_processor(lambda: {"brand_css": _url()})


@bp.get("/brand.css")
@file_of("text/css", "The company's style sheet, if there is one.")
def style() -> Response:
    file = brand.style_sheet(config.current())
    if file is None:
        raise NotFound
    return send_file(file, mimetype="text/css")


def _url() -> str | None:
    file = brand.style_sheet(config.current())
    return url_for("brand.style", v=hash_of(file)) if file else None
