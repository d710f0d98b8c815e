"""Times in Mailchimp's formats: UTC, in whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Now, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def written(moment: datetime) -> str:
    """A time in the API's format, such as 2026-11-22T10:04:00+00:00."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def read(text: str) -> datetime:
    """A time sent to the API, in ISO 8601 or as 2026-09-13 10:04:00; raise ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_without_offset(text: str) -> datetime:
    """A time in a query; its offset is ignored, as at Mailchimp (raise ValueError)."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
