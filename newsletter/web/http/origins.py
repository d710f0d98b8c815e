"""ALLOWED_ORIGINS: the sites whose scripts may send sign-ups, and to which `next` may lead."""

from __future__ import annotations

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
    """The URL if it is on one of ALLOWED_ORIGINS, otherwise None: no open redirect."""
    return url if url and origin_of(url) in allowed() else None


def share(response: Response) -> Response:
    """Let only scripts of ALLOWED_ORIGINS read this answer (CORS)."""
    response.vary.add("Origin")
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
