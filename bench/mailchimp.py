"""`python -m bench.mailchimp`: how fast people reach Mailchimp, and how fast both sides are compared.

Against a stand-in that takes 100 ms for each answer, in a process of its own. Prints tables in Markdown that
bench/README.md holds.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import insert

from newsletter.app import create_app
from newsletter.config import load
from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import MailchimpStatus, Status
from newsletter.storage.database import writing
from newsletter.storage.keys import keyring
from newsletter.storage.models import Subscription, db
from newsletter.subscriptions import wording
from newsletter.subscriptions.person import ADDRESS_COLUMN
from newsletter.worker.audience.sync import AudienceSync
from newsletter.worker.mailchimp.client import Mailchimp, client_for
from newsletter.worker.mailchimp.listing import MailchimpMembers
from newsletter.worker.progress import Progress
from newsletter.worker.reconcile_now import reconcile_now
from sandbox.mailchimp import StandIn
from tests.conftest import COMPANY, release
from tests.worker.crowd import join_all, numbered

LATENCY = 0.1  #: seconds before each answer
ALONE = 50


@dataclass
class Counted:
    """The stand-in in a process of its own."""

    environ: dict[str, str]
    _line: Connection

    @property
    def calls(self) -> int:
        """The number of calls received."""
        return self.add([])

    def add(self, people: Sequence[str]) -> int:
        """Subscribe people there; return the number of calls."""
        self._line.send(people)
        return int(self._line.recv())


@contextmanager
def standin() -> Iterator[Counted]:
    """Run the stand-in until it is stopped."""
    ours, its = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(its,))
    process.start()
    try:
        yield Counted(ours.recv(), ours)
    finally:
        ours.send(None)
        process.join()


def _serve(line: Any) -> None:
    with StandIn(latency=LATENCY) as running:
        line.send(
            {
                "MAILCHIMP_API_KEY": running.api_key,
                "MAILCHIMP_LIST_ID": running.list_id,
                "MAILCHIMP_API_URL": running.api_url,
            }
        )
        while (asked := line.recv()) is not None:
            for person in asked:
                running.add(person)
            line.send(len(running.calls))


def settle(audience: AudienceSync) -> float:
    """Take steps until nothing is left; return the seconds."""
    began = time.perf_counter()
    while audience.step() is not Progress.IDLE:
        pass
    return time.perf_counter() - began


def measure(app: Flask, mailchimp: Counted, people: int) -> Iterator[str]:
    """Add some people one by one, then more in batches."""
    line = client_for(app.extensions["settings"], Mailchimp)
    assert line is not None
    audience = AudienceSync(line)
    seconds = 0.0
    for number in range(ALONE):
        join_all(app, f"alone-{number}@example.org")
        seconds += settle(audience)
    one_by_one, before = ALONE / seconds, mailchimp.calls
    join_all(app, *numbered(people))
    seconds = settle(audience)
    line.close()
    calls, together = mailchimp.calls - before, people / seconds
    yield f"| one call each | {ALONE} | {before} | {one_by_one:.1f} | 1 |"
    yield f"| together | {people:,} | {calls} | {together:,.0f} | {together / one_by_one:.0f} |"


def reconciled(app: Flask, mailchimp: Counted, contacts: int) -> str:
    """Compare so many contacts with as many subscribers here, without a difference."""
    people = [f"contact-{number}@example.org" for number in range(contacts)]
    mailchimp.add(people)
    _know(people)
    line = client_for(app.extensions["settings"], MailchimpMembers)
    assert line is not None
    # Reset the kernel's peak (proc_pid_clear_refs(5)).
    Path("/proc/self/clear_refs").write_text("5")
    base, before, began = _megabytes("VmRSS"), mailchimp.calls, time.perf_counter()
    report = reconcile_now(line, full=True, may_exceed=False, watch=lambda _: None)
    seconds, peak = time.perf_counter() - began, _megabytes("VmHWM")
    line.close()
    assert report is not None
    calls = mailchimp.calls - before
    return (
        f"| {report.contacts:,} | {report.changes} | {calls} | {seconds:.0f} | {peak - base:.0f} |"
    )


def _know(people: Sequence[str]) -> None:
    """Write rows of long-standing subscribers."""
    now = clock.now()
    with writing() as session:
        text = wording.current_in(session, "de").hash
        rows = [_row(Address.parse(person), text, now) for person in people]
        session.connection().execute(insert(Subscription), rows)


def _row(address: Address, text: str, now: datetime) -> dict[str, object]:
    ref, keys = secrets.token_hex(16), keyring.current()
    return {
        "ref": ref,
        "digest": keys.digest(address),
        "address": keys.encrypt(address.text, ref=ref, column=ADDRESS_COLUMN),
        "status": Status.CONFIRMED,
        "round": 1,
        "confirmed_round": 1,
        "synced_round": 1,
        "since": now - timedelta(days=1),
        "locale": "de",
        "wording": text,
        "nonce": secrets.token_bytes(32),
        "hold": False,
        "audience": MailchimpStatus.SUBSCRIBED,
        "audience_due_since": now,
        "audience_tries": 0,
    }


def _megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    """Measure, and print the table."""
    arguments = argparse.ArgumentParser(prog="python -m bench.mailchimp", description=__doc__)
    arguments.add_argument("--people", type=int, default=10_000, help="how many (%(default)s)")
    arguments.add_argument("--contacts", type=int, default=100_000, help="(%(default)s)")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, standin() as mailchimp:
        url = f"sqlite:///{Path(folder)}/ours.sqlite3"
        app = create_app(load({**COMPANY, **mailchimp.environ, "DATABASE_URL": url}))
        logging.disable(logging.INFO)
        release(app)
        print(
            "| | people | calls | people a second | times |",
            "| --- | --: | --: | --: | --: |",
            sep="\n",
        )
        with app.app_context():
            for row in measure(app, mailchimp, given.people):
                print(row)
            print("", "| contacts | drift | calls | seconds | MB more at its peak |", sep="\n")
            print("| --: | --: | --: | --: | --: |")
            print(reconciled(app, mailchimp, given.contacts))
            db.engine.dispose()


if __name__ == "__main__":
    main()
