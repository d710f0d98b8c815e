"""A load of HTTP requests over several connections, from one thread, which costs the machine little."""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

CONNECTIONS = 16
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Outcome:
    """The result of a load: each answer's status and milliseconds, and the seconds in total."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        """The milliseconds within which a share (0 to 1) of the requests was answered."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """Join several results."""
    whole = Outcome()
    for outcome in outcomes:
        whole.seconds += outcome.seconds
        whole.milliseconds += outcome.milliseconds
    return whole


def post(path: str, body: bytes, media: str = "application/json", **headers: str) -> bytes:
    """A POST request; headers by name, with underscores for hyphens."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Accept: application/json"]
    lines += [f"Content-Type: {media}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._received = b""
        self._began = 0.0
        self._request = b""

    def send(self, request: bytes, selector: selectors.BaseSelector) -> None:
        self._began, self._request, self._received = time.perf_counter(), request, b""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(self._socket, selectors.EVENT_READ, self)
        self._socket.sendall(request)

    def receive(self, selector: selectors.BaseSelector) -> tuple[int, float] | None:
        """The answer's status and milliseconds once it is whole."""
        assert self._socket is not None
        part = self._socket.recv(65536)
        self._received += part
        head, gap, body = self._received.partition(b"\r\n\r\n")
        is_whole = bool(gap) and _is_whole(head, body)
        if not is_whole and part:
            return None
        if not part or b"\r\nConnection: close" in head:
            self.close(selector)
        if not is_whole:
            raise ConnectionError("the connection ended before its answer")
        return int(head[9:12]), (time.perf_counter() - self._began) * 1000

    def close(self, selector: selectors.BaseSelector) -> None:
        if self._socket is not None:
            selector.unregister(self._socket)
            self._socket.close()
            self._socket = None


def _is_whole(head: bytes, body: bytes) -> bool:
    if b"\r\nTransfer-Encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    length = _LENGTH.search(head)
    return len(body) >= (int(length[1]) if length else 0)


def run(port: int, requests: Iterable[bytes], connections: int = CONNECTIONS) -> Outcome:
    """Send all requests; each connection sends its next one as soon as the last is answered."""
    outcome, waiting = Outcome(), iter(requests)
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        busy = sum(_begin(_Connection(port), waiting, selector) for _ in range(connections))
        while busy:
            for key, _ in selector.select():
                answer = key.data.receive(selector)
                if answer is None:
                    continue
                status, milliseconds = answer
                outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
                outcome.milliseconds.append(milliseconds)
                if not _begin(key.data, waiting, selector):
                    key.data.close(selector)
                    busy -= 1
        outcome.seconds = time.perf_counter() - began
    return outcome


def _begin(
    connection: _Connection, waiting: Iterator[bytes], selector: selectors.BaseSelector
) -> bool:
    request = next(waiting, None)
    if request is not None:
        connection.send(request, selector)
    return request is not None
