"""Proxies in front of the service: TRUSTED_PROXIES and the path in PUBLIC_URL."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from newsletter import config
from newsletter.config import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Private use (RFC 1918, 4193, 6598), loopback and link-local: the networks of our own proxies.
_NEAR = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


def install(app: Flask, settings: Settings) -> None:
    """Take the client's address and scheme from TRUSTED_PROXIES, but never our host."""
    if path := urlsplit(settings.public_url).path:
        app.wsgi_app = _mounted_at(path, app.wsgi_app)  # type: ignore[assignment,method-assign]  # Flask's way
    if count := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's way
            app.wsgi_app, x_for=count, x_proto=count, x_host=0, x_port=0, x_prefix=0
        )


def is_untrusted() -> bool:
    """Whether one of our proxies forwarded this request although TRUSTED_PROXIES is 0."""
    if config.current().trusted_proxies or "X-Forwarded-For" not in request.headers:
        return False
    return is_near(request.remote_addr)


def is_near(peer: str | None) -> bool:
    """Whether a peer is on this machine (a Unix socket has no address) or a private network."""
    if not peer:
        return True
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in _NEAR)


def _mounted_at(path: str, app: WSGIApplication) -> WSGIApplication:
    """Mount the application under a path, whether or not the proxy strips it."""

    def mounted(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        environ["SCRIPT_NAME"] = path
        given = environ.get("PATH_INFO", "")
        if f"{given}/".startswith(f"{path}/"):
            environ["PATH_INFO"] = given.removeprefix(path) or "/"
        return app(environ, start)

    return mounted
