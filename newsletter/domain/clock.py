"""The one clock: everything that asks for the time asks here, so that a test can move it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def rfc3339(value: datetime) -> str:
    """Write a moment as every program gets it, in UTC, such as 2026-03-01T12:00:00Z (RFC 3339)."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_moment(text: str) -> datetime:
    """Take a moment back that was written so."""
    return datetime.fromisoformat(text)
