"""A mail server that plays a script, over a real socket.

A script names only the steps at which the server is not friendly: GREETING, EHLO, STARTTLS, AUTH,
MAIL, RCPT, DATA, END (of DATA), IDLE (after a letter), RSET, NOOP, QUIT. Each connection plays the
next script; the last one serves whoever else connects.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from enum import Enum, auto
from typing import Self

from tests.patience import PATIENCE

DRIP_SECONDS = 0.05
SLOW_SECONDS = 0.2


class Act(Enum):
    """What a server may do instead of answering."""

    HANG_UP = auto()
    SILENCE = auto()  #: reads on but says nothing
    SLOW = auto()  #: answers as a friendly server does, but late
    LEAVE_OPEN = auto()  #: serves the next connection, and never answers this one
    DRIP = auto()  #: continuation lines without end, one now and then
    FLOOD = auto()  #: continuation lines without end, as fast as they are taken
    STALL = auto()  #: reads no more; at DATA only after it has said 354


Script = dict[str, str | Act]

_FRIENDLY: Script = {
    "GREETING": "220 mail.example.com",
    "EHLO": "250-mail.example.com\r\n250 AUTH PLAIN",
    "STARTTLS": "220 go ahead",
    "AUTH": "235 2.7.0 welcome",
    "DATA": "354 go ahead",
    "END": "250 2.0.0 Ok: queued as 1",
    "QUIT": "221 bye",
    "IDLE": "",
}


class ScriptedSmtp:
    """Serves on 127.0.0.1 while entered; notes each connection's commands, and the letters taken."""

    def __init__(
        self, *scripts: Script, tls: ssl.SSLContext | None = None, implicit_tls: bool = False
    ) -> None:
        self._scripts = scripts or ({},)
        self._tls = tls
        self._implicit_tls = implicit_tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        # Else megabytes of a letter fit into a buffer that nobody reads.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.port: int = self._socket.getsockname()[1]
        self.connections: list[list[str]] = []
        self.letters: list[bytes] = []
        self._left_open: list[socket.socket] = []

    @property
    def commands(self) -> list[str]:
        """What the first client said."""
        return self.connections[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for client in self._left_open:
            client.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while not self._over.is_set():
            with suppress(OSError):
                client, _ = self._socket.accept()
                client.settimeout(PATIENCE)
                script = self._scripts[min(len(self.connections), len(self._scripts) - 1)]
                self.connections.append([])
                _Conversation(client, {**_FRIENDLY, **script}, self).play()

    def play_tls(self, client: socket.socket) -> socket.socket:
        """Encrypt one conversation from here on."""
        assert self._tls is not None
        return self._tls.wrap_socket(client, server_side=True)

    def starts(self, client: socket.socket) -> socket.socket:
        """Encrypt from the first byte, if the server is one of those."""
        return self.play_tls(client) if self._implicit_tls else client

    def keep_open(self, client: socket.socket) -> None:
        """Leave a connection as it is until the test is over."""
        self._left_open.append(client)

    def is_over(self, seconds: float) -> bool:
        """Tell, a little later, whether the test is over."""
        return self._over.wait(seconds)

    def wait_until_over(self) -> None:
        """Do nothing until the test is over."""
        self._over.wait(PATIENCE)


class _Conversation:
    def __init__(self, client: socket.socket, script: Script, server: ScriptedSmtp) -> None:
        self._client = client
        self._script = script
        self._server = server
        self._received = b""

    def play(self) -> None:
        try:
            self._client = self._server.starts(self._client)
            if self._answer("GREETING"):
                while (line := self._read_to(b"\r\n")) is not None and self._heard(line.decode()):
                    pass
        finally:
            self._client.close()

    def _heard(self, line: str) -> bool:
        self._server.connections[-1].append(line)
        step = line.split(" ")[0].upper()
        goes_on = self._answer(step)
        if step == "STARTTLS" and self._script[step] == _FRIENDLY[step]:
            self._client = self._server.play_tls(self._client)
        answer = self._script.get(step)
        is_accepted = answer is Act.SLOW or str(answer).endswith(str(_FRIENDLY["DATA"]))
        if step == "DATA" and is_accepted:
            return self._take_letter()
        return goes_on and step != "QUIT"

    def _take_letter(self) -> bool:
        letter = self._read_to(b"\r\n.\r\n")
        if letter is None:
            return False
        self._server.letters.append(letter + b"\r\n")
        return self._answer("END") and self._answer("IDLE")

    def _answer(self, step: str) -> bool:
        """Answer one step; False: the conversation is over."""
        match self._script.get(step, "250 ok"):
            case str(text):
                self._client.sendall(f"{text}\r\n".encode() if text else b"")
                return True
            case Act.HANG_UP:
                return False
            case Act.SILENCE:
                while self._client.recv(4096):
                    pass
                return False
            case Act.SLOW:
                self._server.is_over(SLOW_SECONDS)
                self._client.sendall(f"{_FRIENDLY.get(step, '250 ok')}\r\n".encode())
                return True
            case Act.LEAVE_OPEN:
                self._server.keep_open(self._client.dup())
                return False
            case Act.DRIP | Act.FLOOD as act:
                while not self._server.is_over(DRIP_SECONDS if act is Act.DRIP else 0.0):
                    self._client.sendall(b"250-still at it\r\n")
                return False
            case Act.STALL:
                self._client.sendall(b"354 go ahead\r\n")
                self._server.wait_until_over()
                return False

    def _read_to(self, end: bytes) -> bytes | None:
        while end not in self._received:
            chunk = self._client.recv(65536)
            if not chunk:
                return None
            self._received += chunk
        text, self._received = self._received.split(end, 1)
        return text
