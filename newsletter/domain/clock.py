"""The only clock of the package, so that a test can move it; RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def rfc3339(value: datetime) -> str:
    """A time in UTC, such as 2026-03-01T12:00:00Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
