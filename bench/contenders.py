"""The contenders: a bare Flask view, this service and django-newsletter, each with two processes of gunicorn."""

from __future__ import annotations

import email
import email.policy
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote, urlencode

import requests

from bench.sink import FROM_LINE
from bench.usage import Usage
from tests.conftest import COMPANY
from tests.journeys.service import Service, free_port, running, wait_until
from tests.people import link_in

ROOT = Path(__file__).parent.parent
DJANGO = ROOT / "bench" / "django_newsletter"
PROCESSES = 2
JSON = ("Content-Type: application/json", "Accept: application/json")
FORM = ("Content-Type: application/x-www-form-urlencoded", "Accept: application/json")
#: Django compares a cookie with a field: any equal values will do.
_CSRF = "x" * 32


@dataclass
class Contender:
    """A server that takes sign-ups, then confirmations of the same people."""

    name: str
    port: int
    pid: int  #: of gunicorn's first process, whose children serve
    path: str  #: of a sign-up
    body: str  #: of a sign-up; %s is for something that no other has
    headers: Sequence[str]
    confirmations: Callable[[], list[tuple[str, str]]]  #: path and body for everybody
    #: Of what the figures are a share.
    is_bare: bool = False
    is_peer: bool = False


class Sink:
    """A mail server that takes every letter, in a process of its own."""

    def __init__(self, folder: Path, delay: float = 0.0) -> None:
        self.port, self._file = free_port(), folder / f"letters.{delay}"
        command = [sys.executable, "-m", "bench.sink", str(self.port), str(self._file), str(delay)]
        self._process = subprocess.Popen(command, cwd=ROOT)
        wait_until(self._file.exists, "the mail server runs")

    @property
    def count(self) -> int:
        """How many letters it has."""
        return self._file.read_bytes().count(FROM_LINE)

    def letters(self) -> Iterator[EmailMessage]:
        """The letters, in the order in which they came."""
        for raw in self._file.read_bytes().split(FROM_LINE)[1:]:
            text = raw.replace(b"\r\n", b"\n")
            yield email.message_from_bytes(text, policy=email.policy.default)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextmanager
def sink(folder: Path, delay: float = 0.0) -> Iterator[Sink]:
    """A mail server; each of its replies takes `delay` seconds."""
    server = Sink(folder, delay)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def bare() -> Iterator[Contender]:
    """A view with one answer for everything."""
    environ = {"PATH": os.environ["PATH"]}
    gunicorn = Path(sys.executable).parent / "gunicorn"
    with _serving([gunicorn], "bench.bare:create_app()", ROOT, environ, 8) as (port, pid):
        everybody = [("/subscriptions", '{"email": "ada@example.com"}')] * 20_000
        body = '{"email": "person-%s@example.com"}'
        yield Contender(
            "a bare Flask view",
            port,
            pid,
            "/subscriptions",
            body,
            JSON,
            lambda: everybody,
            is_bare=True,
        )


@dataclass(frozen=True)
class Letters:
    """How fast one worker sent what waited."""

    count: int
    seconds: float
    usage: Usage  #: of the worker

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


@dataclass
class Ours(Contender):
    """This service."""

    letters: Letters | None = None  #: once they were sent


@contextmanager
def ours(name: str, database_url: str, folder: Path) -> Iterator[Ours]:
    """This service on a database; creates the folder."""
    folder.mkdir()
    with sink(folder) as server:
        environ = {
            **COMPANY,
            "DATABASE_URL": database_url,
            "SMTP_URL": f"smtp://127.0.0.1:{server.port}?starttls=never",
            "CLIENT_LIMIT": "off",  # all come from one client
            "LETTERS_PER_HOUR": "1000000",
            "WEB_CONCURRENCY": str(PROCESSES),
        }
        with running(environ, folder, workers=0) as service:

            def confirmations() -> list[tuple[str, str]]:
                contender.letters = send_all(service, server)
                return [(link_in(letter), "") for letter in server.letters()]

            contender = Ours(
                name,
                service.ports[0],
                service.processes[-1].pid,
                "/subscriptions",
                '{"email": "person-%s@example.com"}',
                JSON,
                confirmations,
            )
            yield contender


def send_all(service: Service, server: Sink) -> Letters:
    """Let one worker send all letters that wait; the first one starts the watch."""
    worker = service.start_worker()
    wait_until(lambda: server.count > 0, "the first letter is there")
    first, began, before = server.count, time.perf_counter(), Usage.of(worker.pid)
    last = first
    pause = 0.0
    ended = began
    while pause < 3:
        time.sleep(0.1)
        now, count = time.perf_counter(), server.count
        if count > last:
            last, ended = count, now
        pause = now - ended
    letters = Letters(last - first, ended - began, Usage.of(worker.pid) - before)
    worker.stop()
    return letters


@contextmanager
def django_newsletter(
    name: str, database: str, folder: Path, environment: Path
) -> Iterator[Contender]:
    """django-newsletter on a database (a PostgreSQL URL or a file), installed in an environment of its own."""
    folder.mkdir()
    python = environment / "bin" / "python"
    with sink(folder) as server:
        environ = {
            "PATH": os.environ["PATH"],
            "DATABASE": database,
            "SMTP_PORT": str(server.port),
        }
        subprocess.run([python, "project.py", "release"], cwd=DJANGO, env=environ, check=True)

        def confirmations() -> list[tuple[str, str]]:
            printed = subprocess.check_output(
                [python, "project.py", "codes"], cwd=DJANGO, env=environ
            )
            return [_django_confirmation(*line.split()) for line in printed.decode().splitlines()]

        gunicorn: list[str | Path] = [python, "-m", "gunicorn"]
        with _serving(gunicorn, "project:application", DJANGO, environ, 4) as (port, pid):
            yield Contender(
                name,
                port,
                pid,
                "/newsletter/news/subscribe/",
                _django_form("email_field", "person-%s@example.com"),
                (*FORM, f"Cookie: csrftoken={_CSRF}"),
                confirmations,
                is_peer=True,
            )


def make_django_environment(environment: Path) -> None:
    """Install django-newsletter, unless it is installed."""
    if not (environment / "bin" / "gunicorn").exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        pip = f"{environment}/bin/pip"
        options = ("--quiet", "--disable-pip-version-check", "-r", f"{DJANGO}/requirements.txt")
        subprocess.run([pip, "install", *options], check=True)


@contextmanager
def _serving(
    gunicorn: Sequence[str | Path], app: str, folder: Path, environ: dict[str, str], threads: int
) -> Iterator[tuple[int, int]]:
    port = free_port()
    options = ["--workers", str(PROCESSES), "--threads", str(threads), "--log-level", "warning"]
    command = [*gunicorn, "--worker-class", "gthread", *options, "--bind", f"127.0.0.1:{port}", app]
    with subprocess.Popen(command, cwd=folder, env=environ) as process:
        try:
            wait_until(lambda: _answers(port), "it answers")
            yield port, process.pid
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        requests.get(f"http://127.0.0.1:{port}/", timeout=5)
    except requests.ConnectionError:
        return False
    return True


def _django_form(field: str, value: str) -> str:
    return f"{field}={quote(value, safe='%')}&" + urlencode({"csrfmiddlewaretoken": _CSRF})


def _django_confirmation(person: str, code: str) -> tuple[str, str]:
    path = f"/newsletter/news/subscription/{person}/subscribe/activate/{code}/"
    return path, _django_form("user_activation_code", code)
