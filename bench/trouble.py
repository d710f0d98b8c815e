"""What everybody else notices while everything goes wrong by turns: `python -m bench.trouble [sqlite|postgresql]`

120 seconds of sign-ups and confirmations against real processes, with one trouble after the other: half requests, a
mail server that refuses, hangs up or is silent, a Mailchimp that is silent, a database that hangs, a killed and a
stopped worker.
Afterwards it counts: what was accepted and is lost, how many copies of a letter came, how long everybody waited, and
whether /ready said the truth. Exit status 1 if anything was lost, or a letter came more than three times.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg
import requests

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import held
from tests import postgres
from tests.conftest import COMPANY, environment
from tests.journeys.service import Service, running, wait_until
from tests.people import STAFF, link_in

SECONDS = 20  #: for each trouble
#: A letter whose outcome is unknown waits 15 and 30 minutes for its second and third copy.
SETTLED_WITHIN = 3600
CALLERS = 4
PAUSE = 0.2  #: between two sign-ups of one caller
REFUSALS = ("550 5.1.8 bad outbound sender", "554 5.7.1 Access denied", "550 relay not permitted")
HALF = b"POST /subscriptions HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n{"


@dataclass
class Figures:
    """Observations, by the trouble during which they began."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    answers: dict[str, list[float]] = field(default_factory=dict)  #: seconds of each answer
    accepted: dict[str, tuple[str, float]] = field(
        default_factory=dict
    )  #: trouble and time, by address
    pressed: set[str] = field(default_factory=set)
    ready: Counter[tuple[str, str]] = field(default_factory=Counter)


class Crowd:
    """People who keep signing up, and confirm as soon as their letter has arrived."""

    def __init__(self, service: Service, mailbox: Mailbox) -> None:
        self._service, self._mailbox = service, mailbox
        self.figures = Figures()
        self.trouble = ""
        self._is_over = threading.Event()
        self._pool = ThreadPoolExecutor(CALLERS + 2)
        self._tasks = [self._pool.submit(self._sign_up, number) for number in range(CALLERS)]
        self._tasks += [self._pool.submit(self._confirm), self._pool.submit(self._look)]

    def _sign_up(self, number: int) -> None:
        while not self._is_over.wait(PAUSE):
            # No two share a domain, so a refusal concerns one of them.
            person, trouble = f"p@{uuid4().hex}.example.com", self.trouble
            began = time.monotonic()
            try:
                status = self._service.sign_up(person, web=number)
            except requests.RequestException:
                status = 0
            self.figures.answers.setdefault(trouble, []).append(time.monotonic() - began)
            self.figures.statuses[trouble, status] += 1
            if status == 202:
                self.figures.accepted[person] = (trouble, time.time())

    def _confirm(self) -> None:
        done = 0
        while not self._is_over.wait(PAUSE):
            letters = self._mailbox.letters[done:]
            done += len(letters)
            for letter in letters[::2]:
                try:
                    answer = self._service.press(link_in(letter.message))
                except requests.RequestException:
                    continue
                if answer.status_code == 200:
                    self.figures.pressed.add(letter.recipients[0].lower())

    def _look(self) -> None:
        while not self._is_over.wait(1):
            try:
                answer = requests.get(self._service.url("/ready"), headers=STAFF, timeout=15)
                said = str(answer.json()["status"])
            except requests.RequestException:
                said = "no answer"
            self.figures.ready[self.trouble, said] += 1

    def end(self) -> Figures:
        """Let everybody finish; return the observations."""
        self._is_over.set()
        for task in self._tasks:
            task.result()
        self._pool.shutdown()
        return self.figures


@contextmanager
def half_requests(service: Service) -> Iterator[None]:
    """24 clients that send half a request, then an octet every two seconds."""
    over = threading.Event()

    def drip() -> None:
        with ExitStack() as stack:
            port = service.ports[0]
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(24)]
            for client in clients:
                stack.callback(client.close)
                client.sendall(HALF)
            while not over.wait(2):
                for client in clients:
                    try:
                        client.sendall(b"x")
                    except OSError:
                        continue

    thread = threading.Thread(target=drip)
    thread.start()
    yield
    over.set()
    thread.join()


@contextmanager
def refusing_mail(mailbox: Mailbox) -> Iterator[None]:
    """A mail server that refuses some letters with ambiguous replies."""
    for refusal in REFUSALS:
        mailbox.answer_next("data", refusal, times=3)
        mailbox.answer_next("rcpt", refusal, times=2)
    yield
    mailbox.answer_normally()


@contextmanager
def uncertain_mail(mailbox: Mailbox) -> Iterator[None]:
    """A mail server that accepts some letters and closes the connection."""
    mailbox.answer_next("data", None, times=5, keeps=True)
    yield
    mailbox.answer_normally()


@contextmanager
def silent_others(mailbox: Mailbox, mailchimp: StandIn) -> Iterator[None]:
    """A mail server that is silent at DATA, and a Mailchimp that does not answer."""
    silence, calls = mailbox.stall("data"), threading.Event()
    mailchimp.answer_next(held(calls), times=1000)
    yield
    silence.set()
    calls.set()
    mailchimp.answer_normally()


@contextmanager
def stopped(*processes: int) -> Iterator[None]:
    """Stopped processes."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    yield
    for process in processes:
        os.kill(process, signal.SIGCONT)


@contextmanager
def locked(url: str) -> Iterator[None]:
    """A program that keeps SQLite's file locked."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


def backends_of(url: str) -> list[int]:
    """The database server's processes of our connections, and the one that accepts new ones."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        pids = [int(row[0]) for row in rows]
    parents = {int(Path(f"/proc/{pid}/stat").read_text().split()[3]) for pid in pids}
    return [*parents - {1}, *pids]


def walk(url: str, folder: Path) -> bool:
    """Cause all troubles in turn on one database; return whether nothing was lost."""
    with Mailbox() as mailbox, StandIn() as mailchimp:
        environ = {**COMPANY, **environment(url, mailbox, mailchimp)}
        with running(environ, folder, workers=2) as service:
            crowd = Crowd(service, mailbox)
            for name, trouble in _troubles(url, service, mailbox, mailchimp):
                crowd.trouble = name
                with trouble():
                    time.sleep(SECONDS)
            figures = crowd.end()
            return _report(figures, mailbox, mailchimp)


def _troubles(
    url: str, service: Service, mailbox: Mailbox, mailchimp: StandIn
) -> Iterator[tuple[str, Callable[[], AbstractContextManager[None]]]]:
    yield "half requests", lambda: half_requests(service)
    yield "mail refused", lambda: refusing_mail(mailbox)
    yield "mail unknown", lambda: uncertain_mail(mailbox)
    yield "mail and Mailchimp silent", lambda: silent_others(mailbox, mailchimp)
    if url.startswith("postgresql"):
        yield "database stopped", lambda: stopped(*backends_of(url))
    else:
        yield "database locked", lambda: locked(url)
    service.processes[-1].kill()
    service.start_worker()
    yield "a worker killed, one stopped", lambda: stopped(service.processes[-3].pid)


def _report(figures: Figures, mailbox: Mailbox, mailchimp: StandIn) -> bool:
    """Wait until everything has settled, and print the observations."""
    accepted, pressed = figures.accepted, figures.pressed

    def all_arrived() -> bool:
        return accepted.keys() <= {letter.recipients[0].lower() for letter in mailbox.letters}

    wait_until(all_arrived, "all letters are there", patience=SETTLED_WITHIN)
    wait_until(
        lambda: pressed <= mailchimp.contacts.keys(),
        "all are at Mailchimp",
        patience=SETTLED_WITHIN,
    )
    copies = Counter(letter.recipients[0].lower() for letter in mailbox.letters)
    first: dict[str, float] = {}
    for letter in mailbox.letters:
        first.setdefault(letter.recipients[0].lower(), letter.at.timestamp())
    print("| trouble | answers | slowest | letter after (median, longest) | /ready |")
    print("| --- | --- | --: | --: | --- |")
    for name, seconds in figures.answers.items():
        statuses = {
            status: n for (trouble, status), n in figures.statuses.items() if trouble == name
        }
        waits = [first[who] - at for who, (trouble, at) in accepted.items() if trouble == name]
        ready = {said: n for (trouble, said), n in figures.ready.items() if trouble == name}
        waited = f"{statistics.median(waits):.1f} s, {max(waits):.1f} s" if waits else "none"
        print(f"| {name} | {statuses} | {max(seconds):.1f} s | {waited} | {ready} |")
    most = max(copies.values(), default=0)
    print(
        f"\n{len(accepted)} accepted, all with a letter; {len(pressed)} confirmed, all at Mailchimp."
    )
    print(f"Most copies of one letter: {most}; letters that came more than once: ", end="")
    print(sum(count > 1 for count in copies.values()))
    return most <= 3


def main() -> int:
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url = f"sqlite:///{folder}/newsletter.sqlite3"
        if kind == "postgresql":
            server = stack.enter_context(postgres.running())
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE trouble")
            url = f"{server}/trouble"
        return 0 if walk(url, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
