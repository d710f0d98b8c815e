"""The web process as it is really started: gunicorn with its configuration."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Self
from urllib.request import Request, urlopen

import pytest

from tests import postgres
from tests.checkout import command
from tests.conftest import COMPANY, on_postgresql
from tests.journeys.service import wait_until
from tests.patience import PATIENCE
from tests.people import ADA, STAFF, WEBHOOK_SECRET
from tests.ports import free_port

#: Where coverage is measured, it is in these processes, too.
COVERAGE = {name: os.environ[name] for name in ("COVERAGE_PROCESS_CONFIG",) if name in os.environ}
CONFIGURATION = "newsletter.app.serving"


def command_with(configuration: str = CONFIGURATION) -> list[str]:
    return [command("gunicorn"), "-c", f"python:{configuration}", "newsletter:create_app()"]


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path) -> dict[str, str]:
    return environment_in(tmp_path, sqlite_template)


def environment_in(folder: Path, template: Path) -> dict[str, str]:
    file = folder / "newsletter.sqlite3"
    shutil.copy(template, file)
    return {
        **COMPANY,
        **COVERAGE,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{file}",
        "PORT": str(free_port()),
        "LOG_LEVEL": "DEBUG",
    }


def refused(environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A process that is to end by itself at once."""
    return subprocess.run(
        command_with(),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
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


def _until_end(connection: socket.socket) -> bytes:
    return b"".join(iter(partial(connection.recv, 4096), b""))


class Served:
    """A running web process; `errors` is what it wrote so far."""

    def __init__(
        self, environment: dict[str, str], folder: Path, configuration: str = CONFIGURATION
    ) -> None:
        self.port = int(environment["PORT"])
        self.errors: list[str] = []
        self._process = subprocess.Popen(
            command_with(configuration),
            cwd=folder,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._booted = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._booted.wait(PATIENCE)
        assert self.booted, self.errors

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.errors.append(line)
            if "Booting worker" in line:
                self._booted.set()
        self._booted.set()  # it has ended

    @property
    def booted(self) -> int:
        """How many processes have started."""
        return sum("Booting worker" in line for line in self.errors)

    @property
    def processes(self) -> list[int]:
        """The numbers of those that answer."""
        found = (re.search(r"Booting worker with pid: (\d+)", line) for line in self.errors)
        return [int(each[1]) for each in found if each]

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> int:
        """The status of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, sent)
        status = connection.getresponse().status
        connection.close()
        return status

    def metrics(self) -> str:
        """What Prometheus gets."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urlopen(Request(url, headers=STAFF), timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def say(self, octets: bytes, *, until_end: bool = False) -> bytes:
        """What is answered to these octets, whatever they are: the beginning, or all until the connection ends."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(octets)
            return _until_end(connection) if until_end else connection.recv(4096)

    def end(self) -> int:
        """Ask it to end; the exit status."""
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.end()


@pytest.fixture
def served(environment: dict[str, str], tmp_path: Path) -> Iterator[Served]:
    """One for a test that ends or disturbs it."""
    with Served(environment, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def shared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("shared")
    with Served(environment_in(folder, sqlite_template), folder) as running:
        yield running


def test_it_serves_and_ends_when_asked_to(served: Served) -> None:
    assert served.ask("GET", "/health") == 200
    assert served.ask("GET", "/ready") == 200
    assert served.end() == 0


def test_its_log_has_neither_clients_nor_paths_nor_people(served: Served) -> None:
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


def test_all_processes_count_a_client_together(environment: dict[str, str], tmp_path: Path) -> None:
    limited = {**environment, "CLIENT_LIMIT": "5 per 10 minutes", "WEB_CONCURRENCY": "4"}
    body = json.dumps({"email": ADA})
    with Served(limited, tmp_path) as served, ThreadPoolExecutor(16) as pool:
        asked = [
            pool.submit(served.ask, "POST", "/subscriptions", body, Content_Type="application/json")
            for _ in range(16)
        ]
        statuses = Counter(each.result() for each in asked)

    assert statuses == {202: 5, 429: 11}


@contextmanager
def paused(process: int) -> Iterator[None]:
    """All requests are for the others."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_each_process_shows_what_all_have_counted_also_one_that_has_ended(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with Served({**environment, "WEB_CONCURRENCY": "2"}, tmp_path) as served:
        wait_until(lambda: len(served.processes) == 2, "both processes have started")
        one, other = served.processes
        with paused(other):
            assert served.ask("GET", "/health") == 200
        with paused(one):
            assert served.ask("GET", "/health") == 200
            shown = served.metrics()
        os.kill(one, signal.SIGKILL)
        wait_until(lambda: len(served.processes) == 3, "another has taken its place")
        shown_later = served.metrics()

    both = 'newsletter_http_request_duration_seconds_count{endpoint="/health",method="GET",status="200"} 2.0'
    assert both in shown
    assert both in shown_later


def test_as_it_comes_a_host_has_two_to_four_processes(shared: Served) -> None:
    cores = len(os.sched_getaffinity(0))
    wait_until(lambda: shared.booted == min(max(2, cores), 4), "all processes have started")


def test_a_body_without_a_length_is_limited_too(shared: Served) -> None:
    head = (
        b"POST /subscriptions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )

    answer = shared.say(head + b"5000\r\n" + b"x" * 0x5000 + b"\r\n0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413")


def test_a_body_far_too_long_is_refused_in_the_persons_language_and_not_read(
    shared: Served,
) -> None:
    head = (
        b"POST /subscriptions HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nAccept-Language: de\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000000\r\n\r\n"
    )

    # What would be the body asks for something else, and is not taken for a request.
    answer = shared.say(head + b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", until_end=True)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"Zu viele Daten" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


HEAD = b"POST /subscriptions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
HALVES = {
    "a line": b"POST /subscri",
    "a head": HEAD,
    "a body": HEAD + b'Content-Length: 400\r\n\r\n{"em',
    "a chunk": HEAD + b'Transfer-Encoding: chunked\r\n\r\n20\r\n{"em',
}


class Strangers:
    """Twenty-four clients that say the same, and then keep their connections."""

    def __init__(self, port: int, octets: bytes) -> None:
        self._connections = [socket.socket() for _ in range(24)]
        for connection in self._connections:
            # What they do not read does not lie in their own memory.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.settimeout(PATIENCE)
            connection.connect(("127.0.0.1", port))
            connection.sendall(octets)

    def drip(self) -> None:
        """One octet more from each."""
        for connection in self._connections:
            connection.sendall(b"x")

    def hear(self) -> set[bytes]:
        """The first line of each answer until the connection ends."""
        return {_until_end(each).partition(b"\r\n")[0] for each in self._connections}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()


def test_a_client_that_keeps_a_connection_delays_no_other(
    environment: dict[str, str], tmp_path: Path
) -> None:
    whole = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n"
    # It waits for clients without end: only who does not wait for them is answered.
    patient = Served(environment, tmp_path, "tests.app.patient_serving")
    with patient as served, ExitStack() as stack:
        halves = [stack.enter_context(Strangers(served.port, half)) for half in HALVES.values()]
        stack.enter_context(Strangers(served.port, whole + b"Connection: close\r\n\r\n"))
        stack.enter_context(Strangers(served.port, (whole + b"\r\n") * 200))
        for _ in range(3):
            assert served.ask("GET", "/health") == 200
            assert served.ask("POST", "/subscriptions", f"email={ADA}") == 415
            for each in halves:
                each.drip()


def test_a_client_that_keeps_a_connection_loses_it(shared: Served) -> None:
    with ExitStack() as stack:
        halves = [stack.enter_context(Strangers(shared.port, half)) for half in HALVES.values()]
        for each in halves:
            each.drip()

        assert [each.hear() for each in halves] == [{b""}] * 4


def test_a_client_that_expects_100_continue_gets_it(shared: Served) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), PATIENCE) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(4096).startswith(b"HTTP/1.1 422")


def test_requests_sent_together_are_answered_one_after_the_other(shared: Served) -> None:
    ask = b"GET /health HTTP/1.1\r\nHost: x\r\n"
    broken = HEAD + b"Transfer-Encoding: chunked\r\n\r\nnone\r\n"

    answers = shared.say((ask + b"\r\n") * 2 + broken + ask, until_end=True)

    # After what cannot be understood, nothing is.
    assert answers.count(b"HTTP/1.1 200") == 2
    assert answers.count(b"HTTP/1.1 ") == 3


SAID_BY_PROXIES = [
    {"X_Forwarded_Proto": "https", "X_Forwarded_Protocol": "http"},
    {"X_Forwarded_Proto": "http", "X_Forwarded_Protocol": "ssl", "X_Forwarded_Ssl": "on"},
    {"X_Forwarded_Proto": "https, http", "X_Forwarded_Ssl": "off"},
    {"Forwarded": "proto=https;host=evil.example", "X_Forwarded_Host": "evil.example"},
    {"X_Forwarded_Prefix": "/evil", "X_Script_Name": "/evil", "Front_End_Https": "on"},
]


def test_no_header_about_the_scheme_is_refused(
    shared: Served, environment: dict[str, str], tmp_path: Path
) -> None:
    with Served({**environment, "TRUSTED_PROXIES": "1"}, tmp_path) as behind_a_proxy:
        for served in (shared, behind_a_proxy):
            answers = [served.ask("GET", "/health", None, **said) for said in SAID_BY_PROXIES]
            assert answers == [200] * len(SAID_BY_PROXIES)


def test_no_header_moves_a_path(shared: Served) -> None:
    for header in ("SCRIPT_NAME", "Script_Name", "Script-Name", "PATH_INFO", "X-Forwarded-Prefix"):
        for path, status in (("/health", b"HTTP/1.1 200"), ("/x/health", b"HTTP/1.1 404")):
            head = f"GET {path} HTTP/1.1\r\nHost: x\r\n{header}: /x\r\nConnection: close\r\n\r\n"
            assert shared.say(head.encode())[:12] == status


BROKEN_BODIES = [
    b"zz\r\nhello\r\n0\r\n\r\n",
    b"-5\r\nhello\r\n0\r\n\r\n",
    b"+5\r\nhello\r\n0\r\n\r\n",
    b"0x5\r\nhello\r\n0\r\n\r\n",
    b"5 \r\nhello\r\n0\r\n\r\n",
    b"5\r\nhelloXX0\r\n\r\n",
    b"5;a\rb\r\nhello\r\n0\r\n\r\n",
]


def test_a_broken_body_is_a_bad_request_and_no_traceback(served: Served) -> None:
    answers = []
    for path in ("/subscriptions", f"/webhooks/mailchimp/{WEBHOOK_SECRET}", "/health"):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        answers += [served.say(head + body) for body in BROKEN_BODIES]
    served.end()

    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 400"}
    assert not [line for line in served.errors if "Traceback" in line or " 500 " in line]


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(24) as threads:
        yield threads


def sign_ups(served: Served, crowd: ThreadPoolExecutor) -> list[Future[int]]:
    """Twenty-four people at once."""
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    return [
        crowd.submit(served.ask, "POST", "/subscriptions", f"email=ada-{n}@example.com", **form)
        for n in range(24)
    ]


def assert_outage_is_borne(served: Served, crowd: ThreadPoolExecutor, *, page: int) -> None:
    """With a database that nobody can write to: what needs it is refused, all at once; the rest is answered.

    `page`: the status of a page that only reads.
    """
    # Who waited for a thread that waits, one after the other, would wait for minutes.
    first = sign_ups(served, crowd)
    assert served.ask("GET", "/") == page
    assert served.ask("GET", "/health") == 200
    assert served.ask("GET", "/static/newsletter.css") == 200
    assert served.ask("GET", "/ready") == 503
    assert {each.result() for each in first} == {503}
    # The database has kept one waiting: the others are refused at once.
    assert {each.result() for each in sign_ups(served, crowd)} == {503}


def assert_it_is_over(served: Served, crowd: ThreadPoolExecutor) -> None:
    wait_until(lambda: {each.result() for each in sign_ups(served, crowd)} == {303}, "it is over")
    # A call that was given up late may have the database looked at once more, some seconds later.
    wait_until(lambda: served.ask("GET", "/ready") == 200, "it is ready")
    served.end()
    warned = [line for line in served.errors if " INFO " not in line]
    assert not any("Traceback" in line for line in warned)
    assert len(warned) <= 4 * served.booted, warned


def test_a_locked_file_is_an_outage_that_holds_nothing_else_up(
    served: Served, crowd: ThreadPoolExecutor, environment: dict[str, str]
) -> None:
    file = environment["DATABASE_URL"].removeprefix("sqlite:///")
    assert served.ask("GET", "/") == 200
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_outage_is_borne(served, crowd, page=200)
        assert served.ask("GET", "/") == 200
    assert_it_is_over(served, crowd)


@pytest.fixture
def on_server(environment: dict[str, str], database_url: str, tmp_path: Path) -> Iterator[Served]:
    with Served({**environment, "DATABASE_URL": database_url}, tmp_path) as running:
        yield running


@on_postgresql
def test_a_server_that_hangs_is_an_outage_that_holds_nothing_else_up(
    on_server: Served, database_url: str, crowd: ThreadPoolExecutor
) -> None:
    served = on_server
    assert served.ask("GET", "/") == 200
    with postgres.stopped(database_url):
        assert_outage_is_borne(served, crowd, page=503)
    assert_it_is_over(served, crowd)
