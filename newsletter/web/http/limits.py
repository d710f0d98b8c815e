"""CLIENT_LIMIT: the rate limit of sign-ups and requests for data per client, without storing IP addresses.

A client is an HMAC of its IP address under a key that changes daily, linked to no sign-up. The limit of e-mails per
mailbox is separate (domain/limits.py).
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

#: The endpoints that may cause an e-mail; each is counted separately.
_ENDPOINTS = ("signup.subscribe", "my_data_request.ask", "my_data.act")
_NOT_APPLIED = "client_limit_not_applied"
_IPV6_CLIENT_BITS = 64  #: the network of one household or server, within which addresses are free
_WITH_PORT = re.compile(r"\[?([^\]]+)\]?:\d+")

log = logging.getLogger(__name__)


def install(app: Flask, settings: Settings) -> None:
    """Limit the endpoints that may cause an e-mail; their blueprints must be registered."""
    app.extensions[_NOT_APPLIED] = False
    if settings.client_limit == "off":
        return
    limiter = Limiter(
        _client,
        app=app,
        storage_uri=settings.storage_uri,
        storage_options=_storage_options(settings.storage_uri),
        # A fixed window would allow twice the number around its end.
        strategy="moving-window",
        on_breach=_refuse,
        # While the storage is away, each process counts separately, and sign-ups continue.
        in_memory_fallback_enabled=True,
        swallow_errors=True,
    )
    for name in _ENDPOINTS:
        view: Any = app.view_functions[name]
        limit = limiter.limit(settings.client_limit, exempt_when=proxies.is_untrusted)
        app.view_functions[name] = limit(view)
    app.before_request(_notice_proxy)


def is_applied() -> bool:
    """Whether clients can be distinguished; otherwise the limit is not applied."""
    return not current_app.extensions[_NOT_APPLIED]


def _notice_proxy() -> None:
    if proxies.is_untrusted() and is_applied():
        current_app.extensions[_NOT_APPLIED] = True
        log.warning("a proxy was seen but TRUSTED_PROXIES is 0: CLIENT_LIMIT is not applied")


def _client() -> str:
    secret = config.current().secret_key[0].get_secret_value()
    day = clock.now().date().isoformat()
    key = hmac.digest(secret.encode(), f"newsletter client limit {day}".encode(), hashlib.sha256)
    return hmac.new(key, network_of(request.remote_addr or "").encode(), hashlib.sha256).hexdigest()


def network_of(client: str) -> str:
    """The network that counts as one client: an IPv4 address or an IPv6 /64, without a port."""
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
