"""The ledger: whether it is sealed, was verified of late and found whole, and whether a backup was restored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from flask import Flask

from newsletter import config
from newsletter.cli.check.finding import Finding
from newsletter.ledger import checkpointing, health, unseen
from newsletter.ledger.newest import Newest
from newsletter.storage import outage


def findings(app: Flask) -> Iterator[Finding]:
    """What is amiss with it; what is wrong with the database is told elsewhere."""
    with app.app_context():
        if outage.present() is None:
            for reason in health.complaints():
                # /ready has no one before it who says what it is about.
                wrong = reason.removeprefix("ledger ").removeprefix("wrong: ").rstrip(".")
                yield Finding("ledger", wrong, "see docs/ledger.md")
            if _would_stand_still():
                yield Finding("ledger", unseen.WRONG, unseen.REMEDY)


def _would_stand_still() -> bool:
    """Tell whether the next worker to start sees no checkpoint, where no worker that runs says so."""
    folder, seen = config.current().ledger_checkpoints, Newest()
    with suppress(OSError):  # which folders.py tells
        if folder is not None:
            seen.look(folder)
    is_told = unseen.complaint() is not None or checkpointing.complaint() is not None
    return seen.is_empty and checkpointing.were_written() and not is_told
