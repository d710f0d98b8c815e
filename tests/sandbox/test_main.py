"""`python -m sandbox` as a process, with a small service in the place of the real one."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.patience import PATIENCE
from tests.ports import free_port
from tests.sandbox.test_processes import await_that

ROOT = Path(__file__).parents[2]
SERVICE = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["MAILCHIMP_API_URL"].encode())

    def log_message(self, *_):
        pass

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
PROCFILE = "release: echo released\nweb: python web.py\nworker: echo $$ > worker; exec sleep 60\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return furnished(tmp_path)


def furnished(folder: Path) -> Path:
    (folder / "web.py").write_text(SERVICE)
    (folder / "Procfile").write_text(PROCFILE)
    return folder


#: What it starts is measured in its own tests.
UNMEASURED = {name: os.environ[name] for name in os.environ if not name.startswith("COVERAGE_")}


class Run:
    """A running sandbox and its output."""

    def __init__(self, folder: Path, *ports: str, **environ: str) -> None:
        ports = ports or ("--port", str(free_port()), "--pages", str(free_port()))
        command = [sys.executable, "-m", "sandbox", "--folder", str(folder), *ports]
        self._log = folder / "log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=UNMEASURED | environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def output(self) -> str:
        """The output until the tour is printed or the run ends."""
        await_that(lambda: "Ctrl-C" in self._log.read_text() or self._process.poll() is not None)
        return self._log.read_text()

    def end(self, number: int | None = None) -> tuple[int, str]:
        """The exit status and the output, after a signal if one is given."""
        if number is not None:
            self._process.send_signal(number)
        return self._process.wait(PATIENCE), self._log.read_text()


@pytest.fixture
def run(folder: Path) -> Iterator[Run]:
    """One for a test that ends it."""
    running = Run(folder)
    yield running
    running.end(signal.SIGTERM)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnished(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def said(home: Path) -> Iterator[str]:
    """What one prints that goes on."""
    running = Run(home)
    yield running.output()
    running.end(signal.SIGTERM)


def place(said: str, name: str) -> str:
    found = re.search(rf"{name}\s+(http://\S+)", said)
    assert found is not None
    return found[1]


def test_it_prints_the_pages(said: str) -> None:
    api = requests.get(place(said, "Sign-up form"), timeout=PATIENCE).text
    assert requests.get(f"{api}/ping", timeout=PATIENCE).status_code == 401
    assert requests.get(place(said, "Mailbox"), timeout=PATIENCE).status_code == 200
    assert requests.get(place(said, "Mailchimp"), timeout=PATIENCE).status_code == 200


def test_the_tour_is_printed_first(said: str) -> None:
    first = re.findall(r"http://\S+", said)[0]
    assert first == place(said, "Start here")
    assert "<title>Tour" in requests.get(first, timeout=PATIENCE).text


def test_the_admin_calls_can_be_copied_with_their_token(said: str, home: Path) -> None:
    secrets = (home / "var" / "sandbox.env").read_text()
    token = re.search("ADMIN_TOKENS=admin:(.+)", secrets)
    assert token is not None
    assert f"curl -sS -H 'Authorization: Bearer {token[1]}'" in said
    assert "/admin/erasures \\" in said
    assert "/admin/erasures/ID \\" in said


def test_the_output_of_the_processes_goes_to_a_file_that_is_named(said: str, home: Path) -> None:
    log = home / "var" / "sandbox.log"
    assert str(log) in said
    assert "released" not in said
    assert "released" in log.read_text()


def test_settings_from_outside_are_listed_as_taken_or_ignored(folder: Path) -> None:
    run = Run(folder, LINK_DAYS="3", ORGANISATION="Ada & Co.")
    said = run.output()
    run.end(signal.SIGTERM)

    assert re.search(r"^sandbox: taken from the environment: .*\bLINK_DAYS\b", said, re.MULTILINE)
    assert re.search(
        r"^sandbox: ignored in the environment: .*\bORGANISATION\b", said, re.MULTILINE
    )
    assert "Ada & Co." not in said


def test_a_new_database_is_not_taken_for_a_backup(folder: Path) -> None:
    stale = folder / "var" / "sandbox-checkpoints" / "checkpoints.jsonl"
    stale.parent.mkdir(parents=True)
    stale.write_text("of the database before")
    run = Run(folder)
    run.output()
    run.end(signal.SIGTERM)

    assert not stale.exists()
    assert stale.parent.is_dir()


def test_a_second_run_on_the_same_files_is_refused(said: str, home: Path) -> None:
    refused = f"sandbox: another run uses {home}/var: end it first.\n"

    assert Run(home).end() == (1, refused)
    assert requests.get(place(said, "Mailbox"), timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_with_success(run: Run, folder: Path, number: int) -> None:
    run.output()
    worker = int((folder / "worker").read_text())

    status, _ = run.end(number)

    assert status == 0
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_a_process_that_ends_ends_everything_with_failure(run: Run, folder: Path) -> None:
    run.output()
    os.kill(int((folder / "worker").read_text()), signal.SIGKILL)

    status, said = run.end()

    assert status == 1
    assert "sandbox: worker ended by signal 9; everything is stopped." in said


def test_a_failing_release_starts_nothing_and_shows_the_end_of_the_log(folder: Path) -> None:
    (folder / "Procfile").write_text(PROCFILE.replace("echo released", "echo no way; exit 4"))

    status, said = Run(folder).end()

    assert status == 1
    assert "sandbox: release ended by itself with exit status 4; everything is stopped." in said
    assert not (folder / "worker").exists()
    assert f"no way\n(the end of {folder / 'var' / 'sandbox.log'})\nsandbox: release ended" in said


def test_a_missing_procfile_is_named(folder: Path) -> None:
    (folder / "Procfile").unlink()

    status, said = Run(folder).end()

    assert status == 1
    assert "Procfile" in said
    assert "Traceback" not in said


def test_a_taken_port_is_replaced_and_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        run = Run(folder, "--port", taken, "--pages", "0")
        said = run.output()
        run.end(signal.SIGTERM)

    assert f"sandbox: port {taken} is taken, using " in said
    assert f"localhost:{taken}/" not in said


def test_a_second_run_has_the_same_secrets(folder: Path) -> None:
    run = Run(folder)
    first = run.output()
    run.end(signal.SIGTERM)
    again = Run(folder)
    second = again.output()
    again.end(signal.SIGTERM)

    tokens = [re.findall("Bearer ([^']+)", said) for said in (first, second)]
    assert tokens[0] == tokens[1] != []
