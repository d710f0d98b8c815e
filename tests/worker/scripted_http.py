"""A web server that plays a script, over a real socket: each request gets the next answer."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Self

from tests.patience import PATIENCE

DRIP_SECONDS = 0.1


class Act(Enum):
    """What a server may do instead of answering."""

    HANG_UP = auto()
    SILENCE = auto()
    BREAK_OFF = auto()  #: promises a body and sends half of it
    FALL_SILENT = auto()  #: promises a body, sends half of it and says no more
    DRIP = auto()  #: sends its headers octet by octet, slowly
    DRIP_BODY = auto()  #: sends its headers, and its body octet by octet, slowly


@dataclass(frozen=True)
class Answer:
    """One answer; without a content type there is no such header."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    and_hang_up: bool = False  #: without having said so

    def in_bytes(self) -> bytes:
        """The answer as it goes over the wire."""
        lines = [f"HTTP/1.1 {self.status} Scripted", f"Content-Length: {len(self.body)}"]
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def in_json(status: int, document: object, content_type: str = "application/json") -> Answer:
    """An answer whose body is JSON."""
    return Answer(status, json.dumps(document).encode(), f"{content_type}; charset=utf-8")


@dataclass(frozen=True)
class Request:
    """What was asked, over which connection (the first is 0)."""

    connection: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class ScriptedHttp:
    """Serves on loopback while entered; the last answer goes to whoever else asks."""

    def __init__(
        self, *answers: Answer | Act, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        self._answers = answers
        self._tls = tls
        self._socket = socket.create_server((host, 0))
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._clients: list[socket.socket] = []
        self.requests: list[Request] = []
        scheme, port = "http" if tls is None else "https", self._socket.getsockname()[1]
        self.url = f"{scheme}://{host}:{port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for open_socket in (self._socket, *self._clients):
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def wait_for_hang_up(self) -> None:
        """Wait until the latest connection is closed."""
        self._threads[-1].join(PATIENCE)

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._over.is_set():
                client, _ = self._socket.accept()
                client.settimeout(PATIENCE)
                number = len(self._threads) - 1
                thread = threading.Thread(target=self._serve, args=(client, number))
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket, number: int) -> None:
        with suppress(OSError):
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            self._clients.append(client)
            with client.makefile("rb") as stream:
                while (request := _read(stream, number)) is not None:
                    self.requests.append(request)
                    if not self._answer(client):
                        break
        client.close()

    def _answer(self, client: socket.socket) -> bool:
        match self._answers[min(len(self.requests), len(self._answers)) - 1]:
            case Answer() as answer:
                client.sendall(answer.in_bytes())
                return not answer.and_hang_up
            case Act.HANG_UP:
                return False
            case Act.SILENCE:
                self._over.wait(PATIENCE)
                return False
            case Act.BREAK_OFF:
                client.sendall(in_json(200, {"status": "subscribed"}).in_bytes()[:-5])
                return False
            case Act.FALL_SILENT:
                client.sendall(in_json(200, {"status": "subscribed"}).in_bytes()[:-5])
                self._over.wait(PATIENCE)
                return False
            case Act.DRIP:
                return self._drip(client, in_json(200, {"status": "subscribed"}).in_bytes())
            case Act.DRIP_BODY:
                whole = in_json(200, {"status": "subscribed", "filler": "x" * 100}).in_bytes()
                head, _, body = whole.partition(b"{")
                client.sendall(head)
                return self._drip(client, b"{" + body)

    def _drip(self, client: socket.socket, octets: bytes) -> bool:
        for octet in octets:
            client.sendall(bytes([octet]))
            if self._over.wait(DRIP_SECONDS):
                return False
        return True


def _read(stream: Any, connection: int) -> Request | None:
    method, _, rest = stream.readline().decode().partition(" ")
    if not method:
        return None
    headers = {}
    while (line := stream.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(connection, method, rest.split(" ")[0], headers, body)
