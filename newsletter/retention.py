"""What ends when."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

PROOF_YEARS = (
    3  #: §§ 195, 199 BGB: claims end with the third calendar year after the one in which they arose
)
QUOTA_KEPT = timedelta(hours=24)
#: How long after its end a request that nobody confirmed may still be there (law: within 24 hours).
PENDING_GRACE = timedelta(hours=24)


def proof_until(left_at: datetime, zone: ZoneInfo) -> date:
    """The last day on which the proof of a consent is kept after its owner left."""
    return date(left_at.astimezone(zone).year + PROOF_YEARS, 12, 31)
