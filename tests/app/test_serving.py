"""The web process as it is really started: gunicorn with its configuration."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import COMPANY
from tests.people import ADA, WEBHOOK_SECRET

SECONDS = 30.0
COMMAND = [
    str(Path(sys.executable).with_name("gunicorn")),
    "-c",
    "python:newsletter.app.serving",
    "newsletter:create_app()",
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "newsletter.sqlite3"
    shutil.copy(sqlite_template, file)
    return {
        **COMPANY,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{file}",
        "PORT": str(free_port()),
        "LOG_LEVEL": "DEBUG",
    }


def refused(environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A process that is to end by itself at once."""
    return subprocess.run(
        COMMAND,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_a_wrong_environment_is_refused_whole_before_anything_is_bound(
    environment: dict[str, str], tmp_path: Path
) -> None:
    ended = refused({**environment, "PORT": "eighty", "SECRET_KEY": "too-short"}, tmp_path)

    assert ended.returncode == 2
    assert "PORT:" in ended.stderr
    assert "SECRET_KEY:" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "too-short" not in ended.stderr


def test_a_wrong_data_key_is_recognised_at_start(
    environment: dict[str, str], tmp_path: Path
) -> None:
    ended = refused({**environment, "DATA_KEY": "another-key-0123456789-0123456789"}, tmp_path)

    assert ended.returncode == 2
    assert "DATA_KEY" in ended.stderr
    assert "Listening" not in ended.stderr
    assert "Traceback" not in ended.stderr


class Served:
    """A running web process; `errors` is what it wrote so far."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.port = int(environment["PORT"])
        self.errors: list[str] = []
        self._process = subprocess.Popen(
            COMMAND, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
        )
        self._booted = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self._booted.wait(SECONDS), self.errors

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.errors.append(line)
            if "Booting worker" in line:
                self._booted.set()

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> int:
        """The status of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, sent)
        status = connection.getresponse().status
        connection.close()
        return status

    def say(self, octets: bytes) -> bytes:
        """What is answered to these octets, whatever they are."""
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as connection:
            connection.sendall(octets)
            return connection.recv(4096)

    def end(self) -> int:
        """Ask it to end; the exit status."""
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(10)
        self._reader.join(SECONDS)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return status


@pytest.fixture
def served(environment: dict[str, str], tmp_path: Path) -> Iterator[Served]:
    running = Served(environment, tmp_path)
    yield running
    if running._process.poll() is None:
        running.end()


def test_it_serves_and_ends_when_asked_to(served: Served) -> None:
    assert served.ask("GET", "/health") == 200
    assert served.ask("GET", "/ready") == 200
    assert served.end() == 0


def test_its_log_tells_neither_clients_nor_paths_nor_people(served: Served) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    served.ask("POST", "/subscriptions", f"email={ADA}", User_Agent="curious", **form)
    served.ask("GET", f"/{ADA}?email={ADA}")
    served.ask("GET", f"/webhooks/mailchimp/{WEBHOOK_SECRET}")
    served.ask("POST", "/confirm/some.token", X_Forwarded_For="203.0.113.7")
    served.say(f"GARBAGE {ADA}\r\n\r\n".encode())
    served.end()

    logged = "".join(served.errors)
    for told in (ADA, "127.0.0.1", "203.0.113.7", "curious", WEBHOOK_SECRET, "some.token"):
        assert told.lower() not in logged.lower()
    assert "POST /subscriptions 303" in logged
    assert all(line[:2] == "20" or line.startswith("  ") for line in served.errors)


def test_a_body_without_a_length_is_limited_too(served: Served) -> None:
    head = (
        b"POST /subscriptions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )

    answer = served.say(head + b"5000\r\n" + b"x" * 0x5000 + b"\r\n0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413")
