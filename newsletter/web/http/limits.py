"""CLIENT_LIMIT: the rate limit of sign-ups and requests for data per client, without storing IP addresses.

A client is an HMAC of its IP address under a key that changes daily, linked to no sign-up. The limit of e-mails per
mailbox is separate (domain/limits.py). The 65,536 clients of an IPv6 /48 together may send ten times as much as one.
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
from limits import RateLimitItem, parse
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from newsletter import config
from newsletter.config import Settings
from newsletter.domain import clock
from newsletter.web.http import errors, proxies
from newsletter.web.http.shared_counts import SharedCounts, Table

#: The endpoints that may cause an e-mail; each is counted separately.
_ENDPOINTS = ("signup.subscribe", "my_data_request.ask", "my_data.act")
_NOT_APPLIED = "client_limit_not_applied"
_CLIENT_BITS = 64  #: of an IPv6 address: the network of one household or server, within which addresses are free
_SITE_BITS = 48  #: the largest network that one customer gets (RFC 6177)
_CLIENTS_OF_A_SITE = 10
_WITH_PORT = re.compile(r"\[?([^\]]+)\]?:\d+")

#: Redis answers within milliseconds; a sign-up must not wait for one that does not.
_REDIS_OPTIONS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}
#: The counts that all web processes of a host share, once they are made.
_table: Table | None = None

log = logging.getLogger(__name__)


def share_among_processes(settings: Settings) -> None:
    """Have all processes that fork from this one count together, where no STORAGE_URI says where to count."""
    global _table
    if settings.client_limit != "off":
        _table = _new_table(settings)


def _new_table(settings: Settings) -> Table:
    return Table(parse(settings.client_limit).amount * _CLIENTS_OF_A_SITE)


def install(app: Flask, settings: Settings) -> None:
    """Limit the endpoints that may cause an e-mail; their blueprints must be registered."""
    app.extensions[_NOT_APPLIED] = False
    if settings.client_limit == "off":
        return
    is_counted_here = settings.storage_uri == "memory://"
    options: Any = {"table": _table or _new_table(settings)} if is_counted_here else _REDIS_OPTIONS
    limiter = Limiter(
        client,
        app=app,
        storage_uri="shared-counts://" if is_counted_here else settings.storage_uri,
        storage_options=options,
        # A fixed window would allow twice the number around its end.
        strategy="moving-window",
        on_breach=_refuse,
        # While the storage is away, each process counts separately, and sign-ups continue.
        in_memory_fallback_enabled=True,
        swallow_errors=True,
    )
    if not is_counted_here:
        # The extension's own fallback would grow with the number of clients.
        fallback = SharedCounts("", _table or _new_table(settings))
        limiter._fallback_limiter = MovingWindowRateLimiter(fallback)
    one = parse(settings.client_limit)
    of_a_site = type(one)(one.amount * _CLIENTS_OF_A_SITE, one.multiples)
    for name in _ENDPOINTS:
        view: Any = app.view_functions[name]
        for limit, key, exempt in (
            (one, client, proxies.is_untrusted),
            (of_a_site, _site, _has_no_site),
        ):
            view = limiter.limit(_text_of(limit), key_func=key, exempt_when=exempt)(view)
        app.view_functions[name] = view
    app.before_request(_notice_proxy)


def is_applied() -> bool:
    """Whether clients can be distinguished; otherwise the limit is not applied."""
    return not current_app.extensions[_NOT_APPLIED]


def _notice_proxy() -> None:
    if proxies.is_untrusted() and is_applied():
        current_app.extensions[_NOT_APPLIED] = True
        log.warning("a proxy was seen but TRUSTED_PROXIES is 0: CLIENT_LIMIT is not applied")


def client() -> str:
    """Who sends this request, by a pseudonym of its network that changes daily."""
    return _pseudonym(network_of(request.remote_addr or ""))


def _site() -> str:
    return _pseudonym(network_of(request.remote_addr or "", _SITE_BITS))


def _has_no_site() -> bool:
    return proxies.is_untrusted() or ":" not in network_of(request.remote_addr or "")


def _text_of(limit: RateLimitItem) -> str:
    return f"{limit.amount} per {limit.multiples} {limit.GRANULARITY.name}"


def _pseudonym(network: str) -> str:
    secret = config.current().secret_key[0].get_secret_value()
    day = clock.now().date().isoformat()
    key = hmac.digest(secret.encode(), f"newsletter client limit {day}".encode(), hashlib.sha256)
    return hmac.new(key, network.encode(), hashlib.sha256).hexdigest()


def network_of(client: str, ipv6_bits: int = _CLIENT_BITS) -> str:
    """The network that counts as one: an IPv4 address or so much of an IPv6 address, without a port."""
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
        return str(ipaddress.ip_network((int(address), ipv6_bits), strict=False))
    return client


def _refuse(breached: RequestLimit) -> Response:
    seconds = math.ceil(breached.reset_at - clock.now().timestamp())
    longest = breached.limit.get_expiry()
    return errors.answer(TooManyRequests(retry_after=min(max(seconds, 1), longest)))
