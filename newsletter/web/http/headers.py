"""Headers on every answer: nothing is framed, cached, indexed or loaded from elsewhere.

No proxy may rewrite it either (no-transform): one that hides e-mail addresses from robots changed the consent text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from newsletter.config import Settings
from newsletter.web.http import origins

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_STATIC_SECONDS = 365 * 24 * 3600
_UNNAMED_STATIC_SECONDS = 3600  #: for URLs without a content hash, as on other sites' pages
_FILES = ("static", "docs.asset", "brand.style")  #: cacheable
_HSTS_SECONDS = 365 * 24 * 3600
_FOR_OTHER_SITES = "embed.js"  #: the only file that other sites' pages load

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Some paths contain a token, which no other site may learn.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def install(app: Flask, settings: Settings) -> None:
    """Add the headers to every answer, and a content hash to every URL of a static file."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = _STATIC_SECONDS
    always = dict(_ALWAYS)
    if settings.public_url.startswith("https://"):
        always["Strict-Transport-Security"] = f"max-age={_HSTS_SECONDS}"
    app.wsgi_app = _with_headers(list(always.items()), app.wsgi_app)  # type: ignore[assignment,method-assign]  # Flask's way

    @app.after_request
    def _add(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _content_security_policy())
        is_for_others = request.view_args == {"filename": _FOR_OTHER_SITES}
        # Scripts of ALLOWED_ORIGINS are not affected: CORS lets them read answers.
        whose = "cross-origin" if is_for_others else "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = whose
        if request.endpoint not in _FILES or response.status_code >= 400:
            response.headers["Cache-Control"] = "no-store, no-transform"
            return response
        response.cache_control.no_transform = True
        if "v" not in request.args:
            response.cache_control.max_age = _UNNAMED_STATIC_SECONDS
        return response

    @app.url_defaults
    def _name_content(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and app.static_folder:
            values["v"] = hash_of(Path(app.static_folder) / values["filename"])


def _with_headers(always: list[tuple[str, str]], app: WSGIApplication) -> WSGIApplication:
    """Add the headers that are always the same; Flask's `after_request` would take a tenth of an answer's time."""

    def with_headers(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start(status, headers + always, *error)

        return app(environ, begin)

    return with_headers


def _content_security_policy() -> str:
    # Chrome applies form-action to the redirect after a POST, too, and `next` is on another site.
    return _policy(origins.allowed() if request.blueprint == "signup" else frozenset())


@cache
def _policy(origins: frozenset[str]) -> str:
    targets = ["'self'", *sorted(origins)]
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        f"form-action {' '.join(targets)}; base-uri 'none'; frame-ancestors 'none'"
    )


@cache
def hash_of(path: Path) -> str:
    """A short content hash for a file's URL, so that browsers may cache it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
