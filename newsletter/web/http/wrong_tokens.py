"""Wrong admin tokens: logged, and slowed to ten in ten minutes for each client.

For the rest of these minutes no token of that client is compared, not even a right one, so guessing cannot go on.
"""

from __future__ import annotations

import logging

from flask import current_app, request
from werkzeug.exceptions import TooManyRequests

from newsletter.domain import clock
from newsletter.web.http import limits, proxies
from newsletter.web.http.shared_counts import Table

MOST = 10
SECONDS = 600
_TABLE = "wrong tokens"

#: The counts that all web processes of a host share, once they are made.
_shared: Table | None = None

log = logging.getLogger(__name__)


def share_among_processes() -> None:
    """Have all processes that fork from this one count together."""
    global _shared
    _shared = Table(MOST)


def refuse_many() -> None:
    """Raise TooManyRequests where this client has sent too many."""
    # Behind a proxy that is not believed all clients look the same, and any stranger could shut staff out.
    if proxies.is_untrusted() or (table := _table()) is None:
        return
    now = _now()
    if len(times := table.recent(limits.client(), SECONDS, now)) >= MOST:
        raise TooManyRequests(retry_after=times[-1] + SECONDS - now)


def note() -> None:
    """Log and count a wrong token."""
    rule = request.url_rule.rule if request.url_rule else "-"
    log.warning("a wrong admin token was sent: %s %s", request.method, rule)
    if not proxies.is_untrusted():
        table = _table() or current_app.extensions.setdefault(_TABLE, Table(MOST))
        table.count(limits.client(), MOST, SECONDS, _now())


def _table() -> Table | None:
    """None while nothing was counted."""
    return _shared or current_app.extensions.get(_TABLE)


def _now() -> int:
    return int(clock.now().timestamp())
