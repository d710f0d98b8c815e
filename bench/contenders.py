"""The contenders: a bare Flask view, this service and django-newsletter, each with two processes of gunicorn."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import requests

from bench.letters import Letters, send_all
from bench.sink import sink
from tests.conftest import COMPANY
from tests.journeys.service import running, wait_until
from tests.people import link_in
from tests.ports import free_port

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
