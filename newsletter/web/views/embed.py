"""The form that web developers copy into their own pages, with and without a script."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flask import Blueprint, Response, current_app, make_response, render_template, request

from newsletter import config
from newsletter.subscriptions import wording
from newsletter.web.http import language, origins
from newsletter.web.openapi.endpoint import PAGE, Endpoint

#: For the buttons that copy.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

bp = Blueprint("embed", __name__)


@bp.get("/embed")
@Endpoint(
    "The form to copy into your own site.",
    {200: (PAGE,)},
    ("unavailable",),
    query=("next",),
)
def show() -> Response:
    asked = request.args.get("next")
    next_url = origins.allowed_page(asked)
    page = render_template(
        "pages/embed.html",
        consent=wording.current(language.present()),
        next_url=next_url,
        next_refused=bool(asked) and next_url is None,
        origin=origins.origin_of(config.current().public_url),
        next_origin=origins.origin_of(next_url) if next_url else None,
        starter_css=_starter_css(Path(current_app.static_folder or "")),
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@cache
def _starter_css(folder: Path) -> str:
    return (folder / "embed.css").read_text("utf-8").rstrip()
