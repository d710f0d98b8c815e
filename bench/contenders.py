"""The contenders: a bare Flask view, this service and django-newsletter, each on the same gunicorn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import requests

from bench import load
from sandbox.mailbox import Mailbox
from tests.conftest import COMPANY
from tests.journeys.service import Service, free_port, running, wait_until
from tests.people import link_in

ROOT = Path(__file__).parent.parent
DJANGO = ROOT / "bench" / "django_newsletter"
FORM = "application/x-www-form-urlencoded"
_SAME_GUNICORN = ("--worker-class", "gthread", "--threads", "4", "--log-level", "warning")
#: Django compares a cookie with a field: any equal values will do.
_CSRF = "x" * 32


@dataclass
class Contender:
    """A server that takes sign-ups, then confirmations of the same people."""

    port: int
    pid: int
    sign_ups: Callable[[Sequence[str]], list[bytes]]
    confirmations: Callable[[Sequence[str]], list[bytes]]


@contextmanager
def bare() -> Iterator[Contender]:
    """A view with one answer for everything."""

    def requests_of(people: Sequence[str]) -> list[bytes]:
        return [_sign_up(person) for person in people]

    environ = {"PATH": os.environ["PATH"]}
    gunicorn = Path(sys.executable).parent / "gunicorn"
    with _serving([gunicorn], "bench.bare:create_app()", ROOT, environ) as (port, pid):
        yield Contender(port, pid, requests_of, requests_of)


@dataclass
class Ours(Contender):
    """This service: web, and a worker that is started when letters are to be sent."""

    service: Service
    mailbox: Mailbox
    letters_per_second: float = 0.0
    worker_memory: float = 0.0

    def deliver(self, people: Sequence[str]) -> list[bytes]:
        """Let one worker send all letters; return the POST of each letter's button."""
        worker = self.service.start_worker()
        letters = self.mailbox.letters
        wait_until(lambda: len(letters) > 0, "the first letter is there")
        first, began = len(letters), time.perf_counter()
        wait_until(lambda: len(letters) >= len(people), "all letters are there", patience=600)
        self.letters_per_second = (len(letters) - first) / (time.perf_counter() - began)
        self.worker_memory = memory(worker.pid)
        worker.stop()
        return [load.post(link_in(letter.message), b"", FORM) for letter in list(letters)]


@contextmanager
def ours(database_url: str, folder: Path) -> Iterator[Ours]:
    """This service on a database, with one web process; creates the folder."""
    folder.mkdir()
    with Mailbox() as mailbox:
        environ = {
            **COMPANY,
            "DATABASE_URL": database_url,
            "SMTP_URL": f"{mailbox.smtp_url}?starttls=never",
            "CLIENT_LIMIT": "off",  # all come from one client
        }
        with running(environ, folder, workers=0) as service:
            contender = Ours(
                service.ports[0],
                service.processes[-1].pid,
                lambda people: [_sign_up(person) for person in people],
                lambda people: contender.deliver(people),
                service,
                mailbox,
            )
            yield contender


@contextmanager
def django_newsletter(database: str, environment: Path) -> Iterator[Contender]:
    """django-newsletter on a database (a PostgreSQL URL or a file), installed in an environment of its own."""
    environ = {"PATH": os.environ["PATH"], "DATABASE": database}
    python = environment / "bin" / "python"
    subprocess.run([python, "project.py", "release"], cwd=DJANGO, env=environ, check=True)

    def sign_ups(people: Sequence[str]) -> list[bytes]:
        return [
            _django_form("/newsletter/news/subscribe/", email_field=person) for person in people
        ]

    def confirmations(_: Sequence[str]) -> list[bytes]:
        printed = subprocess.run(
            [python, "project.py", "codes"],
            cwd=DJANGO,
            env=environ,
            check=True,
            capture_output=True,
        )
        return [
            _django_confirmation(*line.split()) for line in printed.stdout.decode().splitlines()
        ]

    with _serving([python, "-m", "gunicorn"], "project:application", DJANGO, environ) as (
        port,
        pid,
    ):
        yield Contender(port, pid, sign_ups, confirmations)


def make_django_environment(environment: Path) -> None:
    """Install django-newsletter, unless it is installed."""
    if not (environment / "bin" / "gunicorn").exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        pip = f"{environment}/bin/pip"
        options = ("--quiet", "--disable-pip-version-check", "-r", f"{DJANGO}/requirements.txt")
        subprocess.run([pip, "install", *options], check=True)


def memory(pid: int) -> float:
    """Resident megabytes of the largest among a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return max(_resident(each) for each in (str(pid), *children.split()))


def _resident(pid: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))


@contextmanager
def _serving(
    gunicorn: Sequence[str | Path], app: str, folder: Path, environ: dict[str, str]
) -> Iterator[tuple[int, int]]:
    port = free_port()
    command = [*gunicorn, *_SAME_GUNICORN, "--bind", f"127.0.0.1:{port}", app]
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


def _sign_up(person: str) -> bytes:
    return load.post("/subscriptions", json.dumps({"email": person}).encode())


def _django_form(path: str, **fields: str) -> bytes:
    body = urlencode({**fields, "csrfmiddlewaretoken": _CSRF}).encode()
    return load.post(path, body, FORM, Cookie=f"csrftoken={_CSRF}")


def _django_confirmation(person: str, code: str) -> bytes:
    path = f"/newsletter/news/subscription/{person}/subscribe/activate/{code}/"
    return _django_form(path, user_activation_code=code)
