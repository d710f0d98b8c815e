"""A mail server that takes every letter: `python -m bench.sink PORT FILE [seconds that each command takes]`

Faster than the clients that it measures. It appends to the file what arrived, each letter after a line with FROM_LINE.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import BinaryIO

from tests.journeys.service import ROOT, wait_until
from tests.ports import free_port

FROM_LINE = b"\nFrom bench\n"
_REPLIES = {
    b"EHLO": b"250-sink.example.com\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 1000000\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Sink:
    """The server in a process of its own."""

    def __init__(self, folder: Path, delay: float = 0.0) -> None:
        self.port, self._file = free_port(), folder / f"letters.{delay}"
        command = [sys.executable, "-m", "bench.sink", str(self.port), str(self._file), str(delay)]
        self._process = subprocess.Popen(command, cwd=ROOT)
        wait_until(self._file.exists, "the mail server runs")
        self._counted = self._read_to = 0

    @property
    def count(self) -> int:
        """How many letters it has."""
        with self._file.open("rb") as file:
            # Only what is new, and what may hold half of a line: the processes that are measured need the cores.
            file.seek(max(0, self._read_to - len(FROM_LINE) + 1))
            new = file.read()
            self._read_to = file.tell()
        self._counted += new.count(FROM_LINE)
        return self._counted

    def letters(self) -> Iterator[EmailMessage]:
        """The letters, in the order in which they came."""
        for raw in self._file.read_bytes().split(FROM_LINE)[1:]:
            text = raw.replace(b"\r\n", b"\n")
            yield email.message_from_bytes(text, policy=email.policy.default)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextmanager
def sink(folder: Path, delay: float = 0.0) -> Iterator[Sink]:
    """A mail server; each of its replies takes `delay` seconds."""
    server = Sink(folder, delay)
    try:
        yield server
    finally:
        server.stop()


class _Conversation(asyncio.Protocol):
    def __init__(self, file: BinaryIO, delay: float) -> None:
        self._file, self._delay = file, delay
        self._received = b""
        self._is_letter = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._reply(b"220 sink.example.com\r\n")

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            end = b"\r\n.\r\n" if self._is_letter else b"\r\n"
            part, found, rest = self._received.partition(end)
            if not found:
                return
            self._received = rest
            if self._is_letter:
                self._is_letter = False
                self._file.write(FROM_LINE + part)
                self._file.flush()
                self._reply(b"250 2.0.0 taken\r\n")
            else:
                word = part[:4].upper()
                self._is_letter = word == b"DATA"
                self._reply(_REPLIES.get(word, b"250 2.1.0 ok\r\n"))

    def _reply(self, line: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, line)
        else:
            self._transport.write(line)


async def serve(port: int, path: Path, delay: float) -> None:
    """Take letters until SIGTERM."""
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    with path.open("ab") as file:
        server = await loop.create_server(lambda: _Conversation(file, delay), "127.0.0.1", port)
        await over.wait()
        server.close()


if __name__ == "__main__":
    _port, _file, *_delay = sys.argv[1:]
    asyncio.run(serve(int(_port), Path(_file), float(_delay[0]) if _delay else 0.0))
