"""`python -m bench.growth [sqlite|postgresql] [--people N N]`: what a call costs among few people, and among many.

Two databases, of 10,000 and of a million confirmed people with their e-mails and a sealed ledger, take turns, so that a
slow moment of the machine affects both alike. Prints a table in Markdown. Takes a quarter of an hour, and 2 GB.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from newsletter.app import create_app
from newsletter.config import load
from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Event, MailchimpStatus, Status
from newsletter.ledger.sealing import Sealing
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring
from newsletter.storage.models import LedgerRow, Letter, LetterKind, Subscription, Wording, db
from newsletter.subscriptions.person import ADDRESS_COLUMN, digest_of
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from tests import postgres
from tests.conftest import COMPANY, release
from tests.people import ask_staff, link_in, sign_up, webhook
from tests.web.desk.visitor import PAGES, Visitor

ROUNDS = 100
AT_ONCE = 5_000
EVIDENCE = 1_400  #: octets of an e-mail's encrypted evidence, as it is kept
#: The webhook needs an audience; nothing answers there, since no call is measured that waits for Mailchimp.
LIST_ID = "a1b2c3d4e5"
EVENTS = (Event.SIGNUP, Event.MAIL_SENT, Event.CONFIRMED, Event.SYNCED)


@dataclass
class Place:
    """A database with so many people, and the service on it."""

    people: int
    app: Flask
    client: FlaskClient
    mailbox: Mailbox
    worker: Worker
    staff: Visitor
    taken: dict[str, list[float]] = field(default_factory=dict)  #: milliseconds

    def time(self, what: str, call: Callable[[], Any]) -> Any:
        """Call, and note how long it took."""
        began = time.perf_counter()
        answer = call()
        self.taken.setdefault(what, []).append((time.perf_counter() - began) * 1000)
        return answer

    def take_a_turn(self, number: int) -> None:
        """One person comes and goes, staff look at the desk; then the worker finds nothing to do."""
        email = f"turn-{number}@example.org"
        answers = [
            self.time("sign-up", lambda: sign_up(self.client, email)),
            self._confirm(email),
        ]
        self._look_at_the_desk(email)
        answers += [
            self.time("webhook", lambda: self._leave(email)),
            self.time("erasure", lambda: ask_staff(self.client, "erasures", email)),
        ]
        assert [answer.status_code for answer in answers] == [202, 200, 204, 202]
        self._look_at_the_erasure(answers[-1].json["id"])
        self.worker.drain()
        with self.app.app_context():
            for loop in self.worker.loops:
                self.time(f"worker: {loop.name}", loop.step)

    def _look_at_the_desk(self, email: str) -> None:
        for page in PAGES:
            self.time(f"desk: {page or '/'}", partial(self.staff.opens, f"/desk{page}"))
        person = self._find("address", email)
        assert self._find("reference", person.rpartition("/")[2]) == person
        for page in ("", "/access", "/proof", "/erase"):
            self.time(f"desk: person{page}", partial(self.staff.opens, f"{person}{page}"))

    def _look_at_the_erasure(self, number: str) -> None:
        erasure = self._find("erasure", number)
        self.time("desk: erasure", partial(self.staff.opens, erasure))

    def _find(self, kind: str, who: str) -> str:
        found = self.time(
            f"desk: find by {kind}", partial(self.staff.sends, "/desk/people", who=who)
        )
        return str(found.headers["Location"])

    def _confirm(self, email: str) -> Any:
        self.worker.drain()
        path = link_in(self.mailbox.letters_to(email)[-1].message)
        return self.time("confirmation", lambda: self.client.post(path))

    def _leave(self, email: str) -> Any:
        return webhook(self.client, type="unsubscribe", data_email=email, data_list_id=LIST_ID)


@contextmanager
def place(url: str, people: int) -> Iterator[Place]:
    """Fill a new database."""
    with Mailbox() as mailbox:
        environ = {
            **COMPANY,
            "MAILCHIMP_LIST_ID": LIST_ID,
            "DATABASE_URL": url,
            "SMTP_URL": mailbox.smtp_url,
        }
        app = create_app(load({**environ, "LETTERS_PER_HOUR": "1000000"}))
        release(app)
        with app.app_context():
            fill(people)
            while Sealing().step():
                pass
        worker = Worker(app)
        worker.drain()
        staff = Visitor(app.test_client())
        staff.signs_in()
        yield Place(people, app, app.test_client(), mailbox, worker, staff)
        worker.close()
        with app.app_context():
            db.engine.dispose()


def fill(people: int) -> None:
    """Write so many people who have confirmed and are subscribed at Mailchimp."""
    for first in range(0, people, AT_ONCE):
        with writing() as session:
            _fill(session, range(first, min(first + AT_ONCE, people)))
    with reading() as session:
        analyse = "ANALYZE" if db.engine.dialect.name == "sqlite" else "ANALYZE subscription"
        session.execute(text(analyse))


def _fill(session: Session, numbers: range) -> None:
    wording = session.scalars(select(Wording.hash)).first()
    at = clock.now() - timedelta(days=30)
    refs = [secrets.token_hex(16) for _ in numbers]
    people, letters, rows = [], [], []
    for number, ref in zip(numbers, refs, strict=True):
        address = Address.unchecked(f"person-{number}@example.com")
        people.append(
            {
                "ref": ref,
                "digest": digest_of(address),
                "address": keyring.current().encrypt(address.text, ref=ref, column=ADDRESS_COLUMN),
                "status": Status.CONFIRMED,
                "confirmed_round": 1,
                "since": at,
                "locale": "de",
                "wording": wording,
                "nonce": secrets.token_bytes(32),
                "audience": MailchimpStatus.SUBSCRIBED,
                "audience_due_since": at,
                "synced_round": 1,
            }
        )
        letters.append(
            {
                "id": secrets.token_hex(16),
                "ref": ref,
                "round": 1,
                "kind": LetterKind.CONFIRMATION,
                "wording": wording,
                "written_at": at,
                "due_at": at,
                "sent_at": at,
                "copies": 1,
                "evidence": secrets.token_bytes(EVIDENCE),
            }
        )
        rows += [
            {"at": at, "ref": ref, "round": 1, "event": event, "commitment": digest_of(address)}
            for event in EVENTS
        ]
    for model, values in ((Subscription, people), (Letter, letters), (LedgerRow, rows)):
        session.connection().execute(insert(model), values)


def size_of(place: Place) -> int:
    """Octets on disk."""
    with place.app.app_context(), reading() as session:
        if db.engine.dialect.name == "sqlite":
            pages = (
                session.scalar(text("PRAGMA page_count")),
                session.scalar(text("PRAGMA page_size")),
            )
            return int(pages[0] or 0) * int(pages[1] or 0)
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)


@contextmanager
def urls(database: str, count: int) -> Iterator[list[str]]:
    """The URLs of so many new databases."""
    if database == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield [f"sqlite:///{Path(folder) / str(number)}.sqlite3" for number in range(count)]
        return
    with postgres.running(durable=True) as server:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            for number in range(count):
                connection.execute(f'CREATE DATABASE "growth_{number}"'.encode())
        yield [f"{server}/growth_{number}" for number in range(count)]


def measure(database: str, sizes: list[int]) -> None:
    """Print the medians of each call, and how many times as much it costs among many."""
    with urls(database, len(sizes)) as given, ExitStack() as open_places:
        few, many = [
            open_places.enter_context(place(url, people))
            for url, people in zip(given, sizes, strict=True)
        ]
        for number in range(ROUNDS):
            for each in (few, many) if number % 2 else (many, few):
                each.take_a_turn(number)
        print(f"| {database} | {few.people:,} people, ms | {many.people:,} people, ms | times |")
        print("| --- | --: | --: | --: |")
        for what in few.taken:
            before, after = (statistics.median(each.taken[what]) for each in (few, many))
            print(f"| {what} | {before:.2f} | {after:.2f} | {after / before:.2f} |")
        octets = (size_of(many) - size_of(few)) / (many.people - few.people)
        print(f"\n{octets:.0f} octets on disk for each person.\n", flush=True)


def main() -> None:
    """Measure, and print the tables."""
    arguments = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    names = ["sqlite", "postgresql"]
    arguments.add_argument("databases", nargs="*", choices=[*names, []], default=names)
    arguments.add_argument("--people", type=int, nargs=2, default=[10_000, 1_000_000])
    given = arguments.parse_args()
    logging.disable(logging.INFO)
    for database in given.databases:
        measure(database, given.people)


if __name__ == "__main__":
    main()
