"""The times in the samples: no two share a day, a time of day or, where the clocks change, a zone."""

from __future__ import annotations

from datetime import UTC, datetime

REQUESTED_AT = datetime(2026, 3, 1, 22, 59, tzinfo=UTC)
EXPIRES_AT = datetime(2026, 3, 29, 12, 5, tzinfo=UTC)
DELETED_BY = datetime(2026, 3, 30, 12, 5, tzinfo=UTC)
