"""Periods of retention that several rooms need; the others are in rights/data/."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

#: §§ 195, 199 BGB: claims become time-barred at the end of the third calendar year after the one in which they arose.
PROOF_YEARS = 3
#: How long after its end a request that nobody confirmed may still be stored.
PENDING_GRACE = timedelta(hours=24)

#: The actor in the ledger where a retention period has ended.
ACTOR = "retention"


def kept_until(began_at: datetime, zone: tzinfo) -> date:
    """The last day of the third calendar year after the one in which something began, in a time zone."""
    return date(began_at.astimezone(zone).year + PROOF_YEARS, 12, 31)


def ended_before(now: datetime, zone: tzinfo) -> datetime:
    """The time before which something must have begun for its `kept_until` to be over now."""
    return datetime(now.astimezone(zone).year - PROOF_YEARS, 1, 1, tzinfo=zone)
