"""Headers on every answer: nothing is framed, cached, indexed or loaded from elsewhere.

No proxy may rewrite it either (no-transform): one that hides e-mail addresses from robots changed the consent text.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from newsletter.config import Settings
from newsletter.web.http import origins

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
    # Scripts of ALLOWED_ORIGINS are not affected: CORS lets them read answers.
    "Cross-Origin-Resource-Policy": "same-origin",
}


def install(app: Flask, settings: Settings) -> None:
    """Add the headers to every answer, and a content hash to every URL of a static file."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = _STATIC_SECONDS
    always = dict(_ALWAYS)
    if settings.public_url.startswith("https://"):
        always["Strict-Transport-Security"] = f"max-age={_HSTS_SECONDS}"

    @app.after_request
    def _add(response: Response) -> Response:
        response.headers.update(always)
        response.headers.setdefault("Content-Security-Policy", _content_security_policy())
        if request.endpoint not in _FILES or response.status_code >= 400:
            response.headers["Cache-Control"] = "no-store, no-transform"
            return response
        response.cache_control.no_transform = True
        if "v" not in request.args:
            response.cache_control.max_age = _UNNAMED_STATIC_SECONDS
        if request.view_args == {"filename": _FOR_OTHER_SITES}:
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    @app.url_defaults
    def _name_content(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and app.static_folder:
            values["v"] = hash_of(Path(app.static_folder) / values["filename"])


def _content_security_policy() -> str:
    targets = ["'self'"]
    if request.blueprint == "signup":
        # Chrome applies form-action to the redirect after a POST, too, and `next` is on another site.
        targets += sorted(origins.allowed())
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        f"form-action {' '.join(targets)}; base-uri 'none'; frame-ancestors 'none'"
    )


@cache
def hash_of(path: Path) -> str:
    """A short content hash for a file's URL, so that browsers may cache it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
