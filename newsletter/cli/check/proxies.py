"""Proxies before the web process: whether they are counted."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.cli.check.finding import Finding
from newsletter.config import Settings


def findings(settings: Settings) -> Iterator[Finding]:
    """A proxy that must be there, since `web` speaks no TLS itself, but is not believed."""
    if settings.public_url.startswith("https://") and settings.trusted_proxies == 0:
        yield Finding(
            "TRUSTED_PROXIES",
            "is 0, though https needs a proxy before `web`, so that clients cannot be told apart"
            " and CLIENT_LIMIT is not applied",
            "set it to the number of proxies that add to X-Forwarded-For, 1 for a single nginx or Caddy",
        )
