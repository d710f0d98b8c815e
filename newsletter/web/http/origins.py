"""ALLOWED_ORIGINS: the sites whose scripts may send sign-ups, and to which `next` may lead."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, request

from newsletter import config
from newsletter.domain import hosts

_PREFLIGHT_SECONDS = 600


def origin_of(url: str) -> str | None:
    """The origin of a URL as browsers write it (RFC 6454 § 6.2); None for what has none."""
    try:
        return hosts.origin_of(url)
    except ValueError:
        return None


def allowed() -> frozenset[str]:
    """ALLOWED_ORIGINS as browsers write them."""
    return frozenset(config.current().allowed_origins)


def allowed_page(url: str | None) -> str | None:
    """The URL, its host in ASCII, if it is on one of ALLOWED_ORIGINS, otherwise None: no open redirect.

    Werkzeug would write a host beyond ASCII by IDNA 2003, as another site's: www.straße.de as www.strasse.de.
    """
    origin = origin_of(url) if url else None
    if url is None or origin not in allowed():
        return None
    return f"{origin}{urlsplit(url)._replace(scheme='', netloc='').geturl()}"


def share(response: Response) -> Response:
    """Let only scripts of ALLOWED_ORIGINS read this answer (CORS)."""
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    if origin not in allowed():
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "POST"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    return response
