"""A load of HTTP requests from wrk, which takes next to nothing of the machine for itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("requests.lua")
_AT_MOST = 600  #: seconds


@dataclass(frozen=True)
class Outcome:
    """What wrk saw: the answers, the seconds that they took in all, and milliseconds of one."""

    requests: int
    seconds: float
    p50: float
    p99: float
    longest: float
    refused: int  #: answers of 4xx and 5xx
    broken: int  #: connections that failed
    late: int  #: no answer within the time-out

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def demand() -> None:
    """End with a message where wrk is missing."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing, which makes the load; on Debian: apt-get install wrk")


def for_seconds(
    port: int,
    seconds: float,
    path: str,
    body: str,
    headers: Sequence[str],
    connections: int = CONNECTIONS,
) -> Outcome:
    """POST for some seconds; %s in the body becomes something new for each request."""
    return _run(port, seconds, connections, ["-", path, body, *headers])


def each(
    port: int, requests: Iterable[tuple[str, str]], file: Path, headers: Sequence[str]
) -> Outcome:
    """POST each path with its body once; the file holds them for wrk."""
    file.write_text("".join(f"{path}\t{body}\n" for path, body in requests))
    return _run(port, _AT_MOST, CONNECTIONS, [str(file), "", "", *headers], threads=1)


def _run(
    port: int, seconds: float, connections: int, arguments: Sequence[str], *, threads: int = 2
) -> Outcome:
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "15s"]
    command += ["-s", str(_SCRIPT), f"http://127.0.0.1:{port}/", "--", *arguments]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = next(line for line in printed.splitlines() if line.startswith("result "))
    found = json.loads(line.removeprefix("result "))
    return Outcome(
        requests=found["requests"],
        seconds=found["microseconds"] / 1e6,
        p50=found["p50"] / 1e3,
        p99=found["p99"] / 1e3,
        longest=found["max"] / 1e3,
        refused=found["refused"],
        broken=found["broken"],
        late=found["late"],
    )
