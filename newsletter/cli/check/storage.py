"""STORAGE_URI: whether the store answers in which several hosts count client limits together."""

from __future__ import annotations

from collections.abc import Iterator

import redis

from newsletter.cli.check.finding import Finding
from newsletter.config import Settings

PATIENCE_SECONDS = 3.0


def findings(settings: Settings) -> Iterator[Finding]:
    """What keeps us from the store; without it, each process counts by itself."""
    if not settings.storage_uri.startswith("redis"):
        return
    seconds = {"socket_connect_timeout": PATIENCE_SECONDS, "socket_timeout": PATIENCE_SECONDS}
    store = redis.Redis.from_url(settings.storage_uri, **seconds)
    try:
        store.ping()
    except redis.AuthenticationError:
        yield Finding("STORAGE_URI", "Redis refuses the sign-in", "put the right password into it")
    except (redis.RedisError, OSError, ValueError):
        yield Finding(
            "STORAGE_URI",
            "Redis does not answer, so that each process counts CLIENT_LIMIT by itself",
            "start it, see that host and port are right, or take the setting away",
        )
    finally:
        store.close()
