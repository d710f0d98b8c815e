"""Authentication of staff: ADMIN_TOKENS as bearer tokens (RFC 6750), only in the header."""

from __future__ import annotations

import hmac

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, NotFound, TooManyRequests, Unauthorized

from newsletter import config
from newsletter.config.settings import AdminToken
from newsletter.web.http import wrong_tokens

# The space makes werkzeug quote it, as RFC 9110 § 11.5 asks of a realm.
REALM = WWWAuthenticate("bearer", {"realm": "newsletter staff"})


def actor() -> str | None:
    """The name of the token that was sent; None without a valid one, or where too many were wrong."""
    try:
        found = _sent()
    except TooManyRequests:
        return None
    return None if found is None else found.name


def admin_of(token: str) -> AdminToken | None:
    """Whose token this is; a wrong one is logged and counted. Raise TooManyRequests."""
    wrong_tokens.refuse_many()
    sent = token.encode()
    # Every token is compared, each in constant time, so that timing reveals nothing.
    matches = [
        admin
        for admin in config.current().admins
        if hmac.compare_digest(sent, admin.token.get_secret_value().encode())
    ]
    if not matches:
        wrong_tokens.note()
        return None
    return matches[0]


def require() -> str:
    """The name of the token that was sent; raise Unauthorized, TooManyRequests, or NotFound where there are none."""
    return _required().name


def require_to_act() -> str:
    """`require`; raise Forbidden where the token only sees."""
    admin = _required()
    if not admin.may_act:
        raise Forbidden
    return admin.name


def _required() -> AdminToken:
    if not config.current().admins:
        raise NotFound
    admin = _sent()
    if admin is None:
        raise Unauthorized(www_authenticate=REALM)
    return admin


def _sent() -> AdminToken | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not config.current().admins:
        return None
    # Clients send UTF-8, and WSGI decodes headers as Latin-1.
    return admin_of(token.strip().encode("latin-1", "replace").decode("utf-8", "replace"))
