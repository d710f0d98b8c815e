"""What ends when: the periods, and the one moment before which whatever then began has ended."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

PROOF_YEARS = (
    3  #: §§ 195, 199 BGB: claims end with the third calendar year after the one in which they arose
)
QUOTA_KEPT = timedelta(hours=24)
#: How long after its end a request that nobody confirmed may still be there (law: within 24 hours).
PENDING_GRACE = timedelta(hours=24)
#: A form that was loaded before a consent text was withdrawn may still be sent, and finds it withdrawn.
WORDING_GRACE = timedelta(hours=24)
#: How long runs of the job are kept.
RUN_YEARS = 3

#: Who is in the ledger for what ended by itself.
ACTOR = "retention"


def kept_until(began_at: datetime, zone: tzinfo) -> date:
    """The last day of what is kept to the end of the third calendar year; a moment's year depends on the zone."""
    return date(began_at.astimezone(zone).year + PROOF_YEARS, 12, 31)


def proof_until(left_at: datetime, zone: tzinfo) -> date:
    """The last day on which the proof of a consent is kept after its owner left."""
    return kept_until(left_at, zone)


def ended_before(now: datetime, zone: tzinfo) -> datetime:
    """What began before this moment was kept to the end of its third calendar year, which has passed."""
    return datetime(now.astimezone(zone).year - PROOF_YEARS, 1, 1, tzinfo=zone)


def years_before(now: datetime, years: int) -> datetime:
    """The same moment so many years ago; of 29 February, the day before where there is none."""
    try:
        return now.replace(year=now.year - years)
    except ValueError:
        return now.replace(year=now.year - years, day=28)
