"""Other sites: which may send people's sign-ups by script, and which people may be sent back to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Response, request

from newsletter import config

_PREFLIGHT_SECONDS = 600
_DEFAULT_PORTS = {"http": 80, "https": 443}
#: A backslash, a space or a control character means one thing to us and another to a browser.
_AMBIGUOUS = re.compile(r"[\x00-\x20\\\x7f]")


def origin_of(url: str) -> str | None:
    """The origin of a URL as browsers write it (RFC 6454 § 6.2); None for what has none."""
    if _AMBIGUOUS.search(url):
        return None
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    host = f"[{host}]" if ":" in host else host
    is_default = port is None or port == _DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{port}"


def allowed() -> frozenset[str]:
    """ALLOWED_ORIGINS as browsers write them."""
    origins = (origin_of(origin) for origin in config.current().allowed_origins)
    return frozenset(origin for origin in origins if origin is not None)


def allowed_page(url: str | None) -> str | None:
    """A page to go on to, if it lies on one of ALLOWED_ORIGINS: we are nobody's open redirect."""
    return url if url and origin_of(url) in allowed() else None


def share(response: Response) -> Response:
    """Let the scripts of ALLOWED_ORIGINS, and no others, read this answer (CORS)."""
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
