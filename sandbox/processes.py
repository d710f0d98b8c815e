"""The service's processes, started from the Procfile line by line and ended together."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.05


class Ended(Exception):
    """A process ended by itself; the message says which and how."""


class Interrupted(Exception):
    """A signal asked for the end."""


def lines_in(procfile: Path) -> dict[str, str]:
    """The Procfile's commands by name; raise FileNotFoundError."""
    pairs = (line.split(":", 1) for line in procfile.read_text().splitlines() if ":" in line)
    return {name.strip(): command.strip() for name, command in pairs if not name.startswith("#")}


def as_one_process(command: str, path: str) -> str:
    """A command that replaces its shell where it is a single program, which then gets the signals itself."""
    words = list(shlex.shlex(command, posix=True, punctuation_chars=True))
    is_single = not any(set(word) <= set(";&|()") for word in words)
    return f"exec {command}" if is_single and shutil.which(words[0], path=path) else command


class Processes:
    """Child processes in process groups of their own, with one environment and one working folder.

    Their output goes to `log`, which begins empty.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        folder: Path,
        log: Path,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._environ, self._folder, self._patience = environ, folder, patience
        self.log = log
        log.write_bytes(b"")
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._interrupt = threading.Event()
        self._ended: list[str] = []

    def run(self, name: str, command: str) -> None:
        """Run a line to its end; raise Ended if it fails, Interrupted after a signal."""
        child = self._spawn(name, command)
        while child.poll() is None:
            self.wait(_LOOK_SECONDS)
        del self._children[name]
        if child.returncode:
            raise Ended(f"{name} ended {_how(child.returncode)}")

    def start(self, name: str, command: str) -> None:
        child = self._spawn(name, command)
        threading.Thread(target=self._watch, args=(name, child), daemon=True).start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait so long (None: without end); raise Ended or Interrupted as soon as that happens."""
        if self._interrupt.wait(seconds):
            raise Ended(self._ended[0]) if self._ended else Interrupted

    def interrupt(self) -> None:
        """End every wait. For signal handlers."""
        self._interrupt.set()

    def stop(self) -> None:
        """End every child and its children: SIGTERM, then SIGKILL for the rest."""
        for child in self._children.values():
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + self._patience
        for child in self._children.values():
            while _is_alive(child) and time.monotonic() < deadline:
                threading.Event().wait(_LOOK_SECONDS)
            _signal(child, signal.SIGKILL)
            child.wait()
        self._children.clear()

    def _spawn(self, name: str, command: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                ["/bin/sh", "-c", as_one_process(command, self._environ["PATH"])],
                cwd=self._folder,
                env=dict(self._environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children[name] = child
        return child

    def _watch(self, name: str, child: subprocess.Popen[bytes]) -> None:
        self._ended.append(f"{name} ended {_how(child.wait())}")
        self._interrupt.set()


def _how(status: int) -> str:
    return f"by signal {-status}" if status < 0 else f"by itself with exit status {status}"


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def _is_alive(child: subprocess.Popen[bytes]) -> bool:
    child.poll()  # else a zombie would count as alive
    try:
        os.killpg(child.pid, 0)
    except ProcessLookupError:
        return False
    return True
