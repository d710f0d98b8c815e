"""The service as it is run: the Procfile's lines as processes of their own, spoken to over HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tests.checkout import command
from tests.patience import PATIENCE
from tests.people import STAFF
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
_LINES = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text("utf-8").splitlines() if line
)


def wait_until(holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Wait for something that other processes bring about."""
    ends = time.monotonic() + patience
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < ends, f"not within {patience:.0f} s: {what}"
        pause.wait(0.05)


class Process:
    """One line of the Procfile at work; what it prints is kept in a file."""

    def __init__(self, line: str, environ: dict[str, Any], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["sh", "-c", f"exec {_LINES[line]}"],
                env=environ,
                cwd=log.parent,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """kill -9, children and all."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def wait(self) -> int:
        """Wait for it to end by itself."""
        return self._process.wait(timeout=PATIENCE)


class Service:
    """Web and worker processes on one database."""

    def __init__(self, environ: dict[str, Any], folder: Path) -> None:
        self.folder = folder
        path = f"{Path(command('newsletter')).parent}{os.pathsep}/usr/bin:/bin"
        self._first_port = free_port()
        home = f"http://localhost:{self._first_port}"
        # One process each, but where a test is about several: they cost time.
        self.environ = {"PATH": path, "PUBLIC_URL": home, "WEB_CONCURRENCY": "1", **environ}
        self.home = str(self.environ["PUBLIC_URL"])  #: what links are built from
        self.processes: list[Process] = []
        self.ports: list[int] = []
        self.http = requests.Session()
        self.http.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=50))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.processes:
            process.kill()
        self.http.close()

    def start(self, line: str, **also: Any) -> Process:
        """Start one more process."""
        log = self.folder / f"{line}.{len(self.processes)}.log"
        process = Process(line, {**self.environ, **also}, log)
        self.processes.append(process)
        return process

    def release(self) -> None:
        assert self.start("release").wait() == 0, self.logs()

    def start_web(self) -> Process:
        """Start a web process on a port of its own, and wait until it answers."""
        port = free_port() if self.ports else self._first_port
        process = self.start("web", PORT=str(port))
        wait_until(lambda: self._is_alive(port), "the web process answers")
        self.ports.append(port)
        return process

    def start_worker(self) -> Process:
        return self.start("worker")

    def _is_alive(self, port: int) -> bool:
        try:
            return self.http.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE).ok
        except requests.ConnectionError:
            return False

    def url(self, path: str, web: int = 0) -> str:
        return f"http://127.0.0.1:{self.ports[web % len(self.ports)]}{path}"

    def sign_up(self, email: str, web: int = 0) -> int:
        """Send the form; the status of the answer."""
        url = self.url("/subscriptions", web)
        return self.http.post(url, json={"email": email}, timeout=PATIENCE).status_code

    def press(self, path: str, web: int = 0) -> requests.Response:
        """Press the button of a page."""
        headers = {"Accept": "application/json"}
        return self.http.post(self.url(path, web), headers=headers, timeout=PATIENCE)

    def staff(self, endpoint: str, email: str, **fields: Any) -> requests.Response:
        """Call an admin endpoint."""
        body = {"email": email, **fields}
        return self.http.post(
            self.url(f"/admin/{endpoint}"), json=body, headers=STAFF, timeout=PATIENCE
        )

    def status_of(self, email: str) -> str:
        answer = self.staff("access", email)
        return "unknown" if answer.status_code == 404 else str(answer.json()["status"])

    def events_of(self, email: str) -> list[str]:
        events = self.staff("access", email).json()["events"]
        return [event["event"] for event in events if event["event"] != "viewed"]

    def logs(self) -> str:
        """All that the processes have printed."""
        return "\n".join(path.read_text("utf-8", "replace") for path in self.folder.glob("*.log"))


@contextmanager
def running(
    environ: dict[str, Any], folder: Path, *, webs: int = 1, workers: int = 1
) -> Iterator[Service]:
    """A released service with so many processes."""
    with Service(environ, folder) as service:
        service.release()
        for _ in range(webs):
            service.start_web()
        for _ in range(workers):
            service.start_worker()
        yield service
