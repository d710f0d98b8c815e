"""Authentication of staff: ADMIN_TOKENS as bearer tokens (RFC 6750), only in the header."""

from __future__ import annotations

import hmac

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import NotFound, Unauthorized

from newsletter import config

# The space makes werkzeug quote it, as RFC 9110 § 11.5 asks of a realm.
_REALM = WWWAuthenticate("bearer", {"realm": "newsletter staff"})


def actor() -> str | None:
    """The name of the token that was sent; None without a valid one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    sent = token.strip().encode("latin-1", "replace")  # WSGI's way with what was sent as UTF-8
    # Every token is compared, each in constant time, so that timing reveals nothing.
    matches = [
        admin.name
        for admin in config.current().admins
        if hmac.compare_digest(sent, admin.token.get_secret_value().encode())
    ]
    return matches[0] if matches else None


def require() -> str:
    """The name of the token that was sent; raise Unauthorized, or NotFound where there are none."""
    if not config.current().admins:
        raise NotFound
    name = actor()
    if name is None:
        raise Unauthorized(www_authenticate=_REALM)
    return name
