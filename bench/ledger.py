"""`python -m bench.ledger [database URL]`: how fast the ledger is sealed and verified.

On SQLite in a temporary folder, or in a database that is given, which must hold no rows of a ledger yet. Prints a table
in Markdown.
"""

from __future__ import annotations

import argparse
import logging
import resource
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import func, insert, select

from newsletter.app import create_app
from newsletter.config import load
from newsletter.domain import clock
from newsletter.domain.lifecycle import Event
from newsletter.ledger.sealing import Sealing
from newsletter.ledger.verifying import Verification
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, db
from tests.conftest import COMPANY, release

AT_ONCE = 10_000


def fill(count: int) -> None:
    """Write so many rows, as sign-ups and confirmations do."""
    with reading() as session:
        assert not session.scalar(select(func.count()).select_from(LedgerRow)), "not empty"
    events = (Event.SIGNUP, Event.MAIL_SENT, Event.CONFIRMED, Event.SYNCED)
    now, wording = clock.now(), secrets.token_hex(32)
    for first in range(0, count, AT_ONCE):
        rows = [
            {
                "at": now + timedelta(milliseconds=number),
                "ref": secrets.token_hex(16),
                "round": 1,
                "event": events[number % len(events)],
                "wording": wording,
                "commitment": secrets.token_bytes(32),
            }
            for number in range(first, min(first + AT_ONCE, count))
        ]
        with writing() as session:
            session.connection().execute(insert(LedgerRow), rows)


def taken(step: Callable[[], bool]) -> float:
    """Take steps until nothing is left; return the seconds."""
    began = time.perf_counter()
    while step():
        pass
    return time.perf_counter() - began


def measure(app: Flask, count: int) -> Iterator[str]:
    """Seal and verify so many rows; then measure a step that finds nothing to do."""
    with app.app_context():
        fill(count)
        base = _megabytes()
        sealing = taken(Sealing().step)
        sealed = _megabytes()
        walk = Verification()
        verifying = taken(walk.step)
        assert (walk.fault, walk.checked) == (None, count)
        idle, began = Sealing(), time.perf_counter()
        for _ in range(100):
            idle.step()
        step = (time.perf_counter() - began) / 100
        yield f"| sealing | {count:,} | {sealing:.1f} | {count / sealing:,.0f} | {sealed - base:.0f} |"
        more = _megabytes() - sealed
        yield f"| verifying | {count:,} | {verifying:.1f} | {count / verifying:,.0f} | {more:.0f} |"
        yield f"| a step without work | | {step:.4f} | | |"
        db.engine.dispose()


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> None:
    """Measure, and print the table."""
    arguments = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    arguments.add_argument("url", nargs="?", help="a database of its own (SQLite)")
    arguments.add_argument("--rows", type=int, default=1_000_000, help="how many (%(default)s)")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{Path(folder)}/ledger.sqlite3"
        app = create_app(load({**COMPANY, "DATABASE_URL": url, "SMTP_URL": "smtp://localhost:9"}))
        logging.disable(logging.INFO)
        release(app)
        print(
            "| | rows | seconds | rows/s | MB more |", "| --- | --: | --: | --: | --: |", sep="\n"
        )
        for row in measure(app, given.rows):
            print(row)


if __name__ == "__main__":
    main()
