"""An SMTP conversation with limits that smtplib lacks: deadlines for a step and for the whole, and a largest reply.

The timeout of smtplib starts anew with each packet: a server that sends slowly, or never ends a reply, would block it
forever.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from newsletter.config import SmtpServer

Replies = Iterator[tuple[int, bytes]]  #: code and lines of each

LARGEST_REPLY = 64 * 1024  #: bytes, in as many lines as they hold
GLANCE_SECONDS = 0.5  #: how soon a wait notices that the worker ends
QUIT_SECONDS = 1.0  #: QUIT must not delay the end of the process


@dataclass(frozen=True)
class Patience:
    """How many seconds the server may take. RFC 5321 § 4.5.3.2 allows minutes for a step, but other letters wait."""

    connect: float = 10.0  #: for each address of the host, and to greet
    command: float = 20.0  #: to answer one command, to take the content
    letter: float = 40.0  #: for everything from the connection to the final dot
    prompt: float = 2.0  #: to answer the final dot while the next letter waits
    end: float = (
        600.0  #: to answer the final dot, which others do not wait for (RFC 5321 § 4.5.3.2.6)
    )


class Conversation(smtplib.SMTP):
    """One connection to the mail server; with `tls` it is encrypted from its start.

    `ends_at` returns the time (monotonic) by which it must be over. Raises TimeoutError after a deadline,
    SMTPServerDisconnected for a closed connection or a reply that is too large.
    """

    def __init__(
        self,
        server: SmtpServer,
        helo: str | None,
        patience: Patience,
        tls: ssl.SSLContext | None,
        ends_at: Callable[[], float],
    ) -> None:
        self._tls = tls
        self._ends_at = ends_at
        self._unread = b""
        self._lines: list[bytes] = []
        self._outstanding = 0  #: replies that were not read, to commands that were sent together
        self.limit(patience.connect)
        self._until = time.monotonic() + patience.letter
        super().__init__(server.host, server.port, helo, timeout=patience.connect)
        self.limit(patience.letter, patience.command)

    def limit(self, seconds: float, step_seconds: float | None = None) -> None:
        """Set the deadline for all that follows, and how long each step of it may take."""
        now = time.monotonic()
        self._step_seconds = seconds if step_seconds is None else step_seconds
        self._until, self._step_until = now + seconds, now + self._step_seconds

    def send(self, s: str | bytes) -> None:  # type: ignore[override]  # smtplib sends nothing else
        """Send a command or content, which begins a step."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        self._step_until = time.monotonic() + self._step_seconds
        # Octets received before the command are no answer to it, especially not unencrypted ones before STARTTLS.
        self._unread, self._lines = b"", []
        rest = memoryview(s.encode(self.command_encoding) if isinstance(s, str) else s)
        while rest:
            self.sock.settimeout(self._seconds_left())
            rest = rest[self.sock.send(rest) :]

    def ask(self, *commands: str) -> Replies:
        """Yield the reply to each command. They are sent together where the server allows it (RFC 2920)."""
        if not self.has_extn("pipelining"):
            yield from map(self.docmd, commands)
            return
        self.send("".join(f"{command}\r\n" for command in commands))
        self._outstanding = len(commands)
        while self._outstanding:
            self._step_until = time.monotonic() + self._step_seconds
            self._outstanding -= 1
            yield self.getreply()

    def settle(self) -> bool:
        """Read the outstanding replies; False if the server would take what follows for a letter, or is gone."""
        try:
            codes = [self.getreply()[0] for _ in range(self._outstanding)]
        except OSError:
            return False
        if any(code // 100 == 3 for code in codes):
            return False
        self._outstanding = 0
        return True

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply: its code, -1 if it has none, and its lines."""
        try:
            while not self._is_complete():
                self._receive()
        except OSError:
            self.close()
            raise
        if self.sock is not None:
            self.sock.settimeout(self._seconds_left())  # a handshake may follow
        lines, self._lines = self._lines, []
        code = lines[-1][:3]
        return int(code) if code.isdigit() else -1, b"\n".join(line[4:].strip() for line in lines)

    def has_reply_within(self, seconds: float) -> bool:
        """Wait for a complete reply, which `getreply` then reads."""
        until = time.monotonic() + seconds
        while not self._is_complete():
            if (left := until - time.monotonic()) <= 0:
                return False
            self._receive(left)
        return True

    def hang_up(self) -> None:
        """Send QUIT and close the connection, within a second."""
        if self._outstanding:
            self.close()
            return
        try:
            self.limit(QUIT_SECONDS)
            self.quit()
        except OSError:
            self.close()

    def _seconds_left(self) -> float:
        left = min(self._until, self._step_until, self._ends_at()) - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _is_complete(self) -> bool:
        while not self._lines or self._lines[-1][3:4] == b"-":
            line, end, rest = self._unread.partition(b"\n")
            if not end:
                return False
            self._lines.append(line)
            self._unread = rest
        return True

    def _receive(self, seconds: float = GLANCE_SECONDS) -> None:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        self.sock.settimeout(min(self._seconds_left(), GLANCE_SECONDS, seconds))
        try:
            received = self.sock.recv(4096)
        except TimeoutError:
            return
        if not received:
            raise smtplib.SMTPServerDisconnected("the server hung up")
        self._unread += received
        if len(self._unread) + sum(map(len, self._lines)) > LARGEST_REPLY:
            raise smtplib.SMTPServerDisconnected("the reply is too large")

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Open the connection; smtplib's hook, which SMTP_SSL uses."""
        sock = self._reach(host, port, timeout)
        # Without it, the final dot waits 40 ms for the acknowledgement of the content.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._tls.wrap_socket(sock, server_hostname=host) if self._tls else sock

    def _reach(self, host: str, port: int, timeout: float) -> socket.socket:
        failure: OSError | None = None
        for *_, (address, *_) in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            left = self._until - time.monotonic()
            if left <= 0:
                break
            try:
                return socket.create_connection((str(address), port), min(timeout, left))
            except OSError as error:
                failure = error
        raise failure or TimeoutError
