"""How long what failed in passing waits before it is tried again."""

from __future__ import annotations

import random
from datetime import timedelta

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 3600.0


def delay(tries: int) -> timedelta:
    """The wait after so many failed tries (1 or more): up to 5 s, then doubling up to an hour, with full jitter."""
    ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (min(tries, 20) - 1))
    return timedelta(seconds=random.uniform(0, ceiling))  # noqa: S311 - spreads load, keeps no secret
