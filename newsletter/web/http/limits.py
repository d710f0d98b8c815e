"""How many sign-ups one client may send, and how often ask for data: CLIENT_LIMIT, counted without keeping anybody's
address.

A client is an HMAC of its IP address under a key that changes every day, joined to no sign-up.
How many letters an address gets is another matter, and counted in the database.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import math
import re
from typing import Any

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter, RequestLimit
from werkzeug.exceptions import TooManyRequests

from newsletter import config
from newsletter.config import Settings
from newsletter.domain import clock
from newsletter.web.http import errors, proxies

#: Where strangers may have letters written; each is counted by itself.
_DOORS = ("signup.subscribe", "my_data_request.ask", "my_data.act")
_NOT_APPLIED = "client_limit_not_applied"
_IPV6_CLIENT_BITS = (
    64  #: the network a household or a server gets; within it, addresses cost nothing
)
_WITH_PORT = re.compile(r"\[?([^\]]+)\]?:\d+")

log = logging.getLogger(__name__)


def install(app: Flask, settings: Settings) -> None:
    """Limit the doors behind which letters are written; their blueprints must be registered."""
    app.extensions[_NOT_APPLIED] = False
    if settings.client_limit == "off":
        return
    limiter = Limiter(
        _client,
        app=app,
        storage_uri=settings.storage_uri,
        storage_options=_storage_options(settings.storage_uri),
        # A fixed window would let twice the number through around its end.
        strategy="moving-window",
        on_breach=_refuse,
        # Where the storage is away, each process counts by itself, and sign-ups go on.
        in_memory_fallback_enabled=True,
        swallow_errors=True,
    )
    for name in _DOORS:
        door: Any = app.view_functions[name]
        limit = limiter.limit(settings.client_limit, exempt_when=proxies.is_untold)
        app.view_functions[name] = limit(door)
    app.before_request(_notice_proxy)


def is_applied() -> bool:
    """Tell whether clients can be told apart; without that, the limit is not applied."""
    return not current_app.extensions[_NOT_APPLIED]


def _notice_proxy() -> None:
    if proxies.is_untold() and is_applied():
        current_app.extensions[_NOT_APPLIED] = True
        log.warning("a proxy was seen but TRUSTED_PROXIES is 0: CLIENT_LIMIT is not applied")


def _client() -> str:
    secret = config.current().secret_key[0].get_secret_value()
    day = clock.now().date().isoformat()
    key = hmac.digest(secret.encode(), f"newsletter client limit {day}".encode(), hashlib.sha256)
    return hmac.new(key, network_of(request.remote_addr or "").encode(), hashlib.sha256).hexdigest()


def network_of(client: str) -> str:
    """What counts as one client: an IPv4 address, or an IPv6 network of 64 bits; no port."""
    with_port = _WITH_PORT.fullmatch(client)
    for candidate in (client, with_port[1] if with_port else client):
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if address.version == 4:
            return str(address)
        return str(ipaddress.ip_network((int(address), _IPV6_CLIENT_BITS), strict=False))
    return client


def _refuse(breached: RequestLimit) -> Response:
    seconds = math.ceil(breached.reset_at - clock.now().timestamp())
    longest = breached.limit.get_expiry()
    return errors.answer(TooManyRequests(retry_after=min(max(seconds, 1), longest)))


def _storage_options(storage_uri: str) -> dict[str, str | int]:
    if storage_uri.startswith("redis"):
        return {"socket_connect_timeout": 1, "socket_timeout": 1}
    return {}
