"""Data past its end: whether the nightly run ended it, and SQLite's file was cleaned of what was erased."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from newsletter.cli.check.finding import Finding
from newsletter.storage import readiness
from newsletter.storage.runs import cleaning, retention


def findings(app: Flask) -> Iterator[Finding]:
    """Why data may still be there past its end; what is wrong with the database is told elsewhere."""
    with app.app_context():
        if readiness.present() is not None:
            return
        if (reason := retention.complaint()) is not None:
            remedy = "see the worker's log, and run `newsletter retention`"
            yield Finding("retention", reason, remedy)
        if (reason := cleaning.complaint()) is not None:
            remedy = "see docs/erasing.md; the worker tries again by itself"
            yield Finding("DATABASE_URL", reason, remedy)
