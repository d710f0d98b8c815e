"""The ledger: whether it is sealed, was verified of late and found whole, and whether a backup was restored."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from newsletter import ledger_health, outage
from newsletter.checkup.finding import Finding


def findings(app: Flask) -> Iterator[Finding]:
    """What is amiss with it; what is wrong with the database is told elsewhere."""
    with app.app_context():
        if outage.present() is None:
            for reason in ledger_health.complaints():
                # /ready has no one before it who says what it is about.
                wrong = reason.removeprefix("ledger ").removeprefix("wrong: ").rstrip(".")
                yield Finding("ledger", wrong, "see docs/ledger.md")
