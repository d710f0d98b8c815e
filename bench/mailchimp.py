"""How fast people reach Mailchimp: `python -m bench.mailchimp`, against a stand-in that takes 100 ms for each answer.

The stand-in runs in a process of its own. Prints lines in Markdown that bench/README.md holds.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from newsletter import create_app, subscriptions, wording
from newsletter.address import Address
from newsletter.config import load
from newsletter.database import reading, writing
from newsletter.delivery.audience import Audience
from newsletter.delivery.mailchimp import mailchimp_for
from newsletter.delivery.progress import Progress
from newsletter.models import Letter, db
from newsletter.tokens import Link
from sandbox.mailchimp import StandIn
from tests.conftest import COMPANY, release

LATENCY = 0.1  #: seconds before each answer
ALONE = 50


@dataclass
class Counted:
    """The stand-in in its own process, as far as it is asked."""

    environ: dict[str, str]
    _line: Connection

    @property
    def calls(self) -> int:
        """How many it has received."""
        self._line.send("calls?")
        return int(self._line.recv())


@contextmanager
def standin() -> Iterator[Counted]:
    """Run the stand-in until the end."""
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
        while line.recv() is not None:
            line.send(len(running.calls))


def join(people: Sequence[str]) -> None:
    """Sign up and confirm, without web and mail."""
    with writing() as session:
        consent = wording.current_in(session, "de")
    for person in people:
        subscriptions.sign_up(Address.parse(person), consent)
    waiting = Letter.sent_at.is_(None)
    with reading() as session:
        letters = session.execute(select(Letter.ref, Letter.round, Letter.id).where(waiting)).all()
    for letter in letters:
        subscriptions.confirm(Link(letter.ref, letter.round, letter.id))


def settle(audience: Audience) -> float:
    """Take steps until nothing is left to do; how many seconds it took."""
    began = time.perf_counter()
    while audience.step() is not Progress.IDLE:
        pass
    return time.perf_counter() - began


def measure(app: Flask, mailchimp: Counted, people: int) -> Iterator[str]:
    """People who are told one by one, then as many as asked for together."""
    line = mailchimp_for(app.extensions["settings"])
    assert line is not None
    audience = Audience(line)
    seconds = 0.0
    for number in range(ALONE):
        join([f"alone-{number}@example.org"])
        seconds += settle(audience)
    one_by_one, before = ALONE / seconds, mailchimp.calls
    join([f"person-{number}@example.org" for number in range(people)])
    seconds = settle(audience)
    line.close()
    calls, together = mailchimp.calls - before, people / seconds
    yield f"| one call each | {ALONE} | {before} | {one_by_one:.1f} | 1 |"
    yield f"| together | {people:,} | {calls} | {together:,.0f} | {together / one_by_one:.0f} |"


def main() -> None:
    """Measure, and print the table."""
    arguments = argparse.ArgumentParser(prog="python -m bench.mailchimp", description=__doc__)
    arguments.add_argument("--people", type=int, default=10_000, help="how many (%(default)s)")
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
            db.engine.dispose()


if __name__ == "__main__":
    main()
