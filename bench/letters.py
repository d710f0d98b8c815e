"""`python -m bench.letters`: how fast letters leave, beside one EmailMessage and one connection for each.

To a mail server on this machine that takes them at once, or 20 ms for each command. Prints a table in Markdown that
bench/README.md holds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench import plain_letters
from bench.sink import Sink, sink
from bench.usage import Usage
from newsletter.app import create_core
from newsletter.config import load
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import SignUp
from newsletter.storage.database import writing
from newsletter.storage.models import db
from newsletter.subscriptions import wording
from newsletter.subscriptions.person import lock_person
from newsletter.subscriptions.sign_up import ask_to_confirm
from tests import postgres
from tests.conftest import COMPANY
from tests.journeys.service import Process, Service, running, wait_until

DELAY = 0.02  #: seconds before each reply of a slow mail server
_SLOW = "a server of 20 ms a command"
_PAUSE = 3.0  #: seconds without another letter, after which there are no more
_TOGETHER = 100  #: sign-ups in a transaction
HEAD = """\
| letters | a second | CPU ms each | worker MB |
| --- | --: | --: | --: |"""


@dataclass(frozen=True)
class Case:
    """A row of the table; `share`: how many of the people get a letter."""

    name: str
    workers: int = 1
    connections: int = 4
    delay: float = 0.0
    share: float = 1.0


_CASES = {
    "one": Case("one worker"),
    "two": Case("two workers", workers=2),
    "slow": Case(f"one worker, {_SLOW}", delay=DELAY, share=0.1),
    "single": Case(f"the same with one connection, {_SLOW}", 1, 1, DELAY, 0.05),
}


@dataclass(frozen=True)
class Letters:
    """How fast what waited was sent."""

    count: int
    seconds: float
    cpu: float  #: seconds of a core, of all workers together
    memory: float  #: resident megabytes of the largest worker

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    def row(self, name: str) -> str:
        """A row of the table."""
        cpu = self.cpu * 1000 / self.count
        return f"| {name} | {self.per_second:.0f} | {cpu:.2f} | {self.memory:.0f} |"


def send_all(service: Service, server: Sink, *, workers: int = 1) -> Letters:
    """Let workers send all letters that wait; the first one starts the watch."""
    processes = [service.start_worker() for _ in range(workers)]
    wait_until(lambda: server.count > 0, "the first letter is there")
    first, before = server.count, _used(processes)
    last, began = first, time.perf_counter()
    ended = began
    while (now := time.perf_counter()) - ended < _PAUSE:
        if (count := server.count) > last:
            last, ended = count, now
            after = _used(processes)
        time.sleep(0.05)
    for process in processes:
        process.stop()
    cpu = sum(used.cpu for used in after) - sum(used.cpu for used in before)
    return Letters(last - first, ended - began, cpu, max(used.memory for used in after))


def _used(processes: Sequence[Process]) -> list[Usage]:
    return [Usage.of(process.pid) for process in processes]


def plain_row(folder: Path, delay: float = 0.0) -> str:
    """The row of the plain way."""
    with sink(folder, delay) as server:
        plain, cpu = plain_letters.measure(server.port)
    to = f", {_SLOW}" if delay else ""
    return f"| one EmailMessage and one connection each{to} | {plain:.0f} | {cpu:.2f} | |"


def sign_up_all(environ: dict[str, Any], people: int) -> None:
    """Sign up so many people, as quickly as it can be done."""
    app = create_core(load(environ))
    with app.app_context():
        action = SignUp(wording.current("de"))
        for first in range(0, people, _TOGETHER):
            with writing() as session:
                for number in range(first, min(first + _TOGETHER, people)):
                    address = Address.parse(f"person-{number}@example.com")
                    ask_to_confirm(lock_person(session, address), action)
        db.engine.dispose()


def measure(database_url: str, folder: Path, people: int, case: Case) -> Letters:
    """Have a new service send a letter to so many people."""
    with sink(folder, case.delay) as server:
        environ = {
            **COMPANY,
            "DATABASE_URL": database_url,
            "SMTP_URL": f"smtp://127.0.0.1:{server.port}?starttls=never",
            "SMTP_CONNECTIONS": str(case.connections),
            "LETTERS_PER_HOUR": "1000000",
        }
        with running(environ, folder, webs=0, workers=0) as service:
            sign_up_all(environ, people)
            return send_all(service, server, workers=case.workers)


def databases(wanted: Sequence[str], stack: ExitStack) -> Iterator[tuple[str, str]]:
    """The name and the URL of a new database of each kind."""
    for kind in wanted:
        if kind == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            yield "SQLite", f"sqlite:///{folder}/letters.sqlite3"
            continue
        server, name = stack.enter_context(postgres.running(durable=True)), f"b{uuid.uuid4().hex}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        yield "PostgreSQL", f"{server}/{name}"


def main() -> None:
    """Measure what is asked for, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.letters", description=__doc__)
    parser.add_argument("--people", type=int, default=5000, help="who get a letter (%(default)s)")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--cases", nargs="+", choices=list(_CASES), default=list(_CASES))
    given = parser.parse_args()
    print(HEAD, flush=True)
    for case in [_CASES[name] for name in given.cases]:
        with ExitStack() as stack:
            for database, url in databases(given.databases, stack):
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                letters = measure(url, folder, int(given.people * case.share), case)
                print(letters.row(f"{database}, {case.name}"), flush=True)
    with tempfile.TemporaryDirectory() as name:
        for delay in (0.0, DELAY):
            print(plain_row(Path(name), delay), flush=True)


if __name__ == "__main__":
    main()
