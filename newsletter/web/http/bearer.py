"""Authentication of staff: ADMIN_TOKENS as bearer tokens (RFC 6750), only in the header."""

from __future__ import annotations

import hmac

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import NotFound, TooManyRequests, Unauthorized

from newsletter import config
from newsletter.web.http import wrong_tokens

# The space makes werkzeug quote it, as RFC 9110 § 11.5 asks of a realm.
_REALM = WWWAuthenticate("bearer", {"realm": "newsletter staff"})


def actor() -> str | None:
    """The name of the token that was sent; None without a valid one, or where too many were wrong."""
    try:
        return _actor()
    except TooManyRequests:
        return None


def _actor() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not config.current().admins:
        return None
    wrong_tokens.refuse_many()
    sent = token.strip().encode("latin-1", "replace")  # WSGI's way with what was sent as UTF-8
    # Every token is compared, each in constant time, so that timing reveals nothing.
    matches = [
        admin.name
        for admin in config.current().admins
        if hmac.compare_digest(sent, admin.token.get_secret_value().encode())
    ]
    if not matches:
        wrong_tokens.note()
        return None
    return matches[0]


def require() -> str:
    """The name of the token that was sent; raise Unauthorized, TooManyRequests, or NotFound where there are none."""
    if not config.current().admins:
        raise NotFound
    name = _actor()
    if name is None:
        raise Unauthorized(www_authenticate=_REALM)
    return name
