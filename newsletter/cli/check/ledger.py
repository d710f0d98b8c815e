"""The ledger: whether it is sealed, was verified of late and found whole, and whether a backup was restored."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from newsletter.cli.check.finding import Finding
from newsletter.ledger import health, restored
from newsletter.storage import notices, readiness
from newsletter.storage.notices import Code


def findings(app: Flask) -> Iterator[Finding]:
    """What is amiss with it; what is wrong with the database is told elsewhere."""
    with app.app_context():
        if readiness.present() is not None:
            return
        for posted in health.posted():
            told = posted.sentence
            yield Finding(told.about, told.wrong, told.remedy)
        for reason in health.complaints():
            # /ready has no one before it who says what it is about.
            wrong = reason.removeprefix("ledger ").removeprefix("wrong: ").rstrip(".")
            yield Finding("ledger", wrong, "see docs/ledger.md")
        case = restored.found()
        if case is not None and notices.find(Code.CHECKPOINTS_UNFIT) is None:
            yield Finding("LEDGER_CHECKPOINTS", case.value, "see docs/ledger.md")
