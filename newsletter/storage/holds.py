"""Holds of mail or Mailchimp as a whole, while the other side refuses everything: a notice, and regular probes."""

from __future__ import annotations

import logging
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from newsletter.domain import clock
from newsletter.storage import jobs, notices
from newsletter.storage.database import writing
from newsletter.storage.moments import has_come, latest
from newsletter.storage.notices import Code

PROBE_EVERY = timedelta(seconds=30)

Side = Literal["mail", "mailchimp"]
_CODES: dict[Side, Code] = {"mail": Code.MAIL_ON_HOLD, "mailchimp": Code.MAILCHIMP_ON_HOLD}

log = logging.getLogger(__name__)


def begin(side: Side, reason: str) -> None:
    """Put a side on hold that refuses everything: until a probe succeeds nothing is sent, and no try is counted."""
    is_logged = reason_of(side) == reason
    with writing() as session:
        notices.post_in(session, _CODES[side], detail=reason)
        jobs.row(session, _probe(side)).leased_until = clock.now() + PROBE_EVERY
    if not is_logged:
        every = PROBE_EVERY.total_seconds()
        log.warning("%s is on hold: %s; tried again every %.0f s", side, reason, every)


def end(side: Side) -> None:
    """End the hold of a side; after one of Mailchimp, a reconciliation is due."""
    held = notices.find(_CODES[side])
    if held is None:
        return
    now = clock.now()
    with writing() as session:
        notices.clear_in(session, held.code)
        if side == "mailchimp":
            jobs.row(session, jobs.RECONCILIATION).ran_at = None
    log.warning("%s is released after %.0f s on hold", side, (now - held.since).total_seconds())


def reason_of(side: Side) -> str | None:
    """Why a side is on hold; None: it is not."""
    held = notices.find(_CODES[side])
    return None if held is None else held.detail


class Permit(StrEnum):
    """Permission to send one thing to a side."""

    FREE = "free"
    PROBE = "probe"  #: the side is on hold: this one tests whether it still refuses


def ask_permit(side: Side, *, at_start: bool = False) -> Permit | None:
    """Ask for permission to send; None while a side is on hold and its next probe is not due.

    Whoever gets a probe is the only one to make it. A worker that has just started (`at_start`) probes at once:
    the cause may have been fixed before the restart.
    """
    if reason_of(side) is None:
        return Permit.FREE
    now = clock.now()
    with writing() as session:
        probe = jobs.row(session, _probe(side))
        if not at_start and not has_come(probe.leased_until, now, latest(now, PROBE_EVERY)):
            return None
        probe.leased_until = now + PROBE_EVERY
        return Permit.PROBE


def _probe(side: Side) -> str:
    return f"{side} probe"
