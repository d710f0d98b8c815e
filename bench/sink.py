"""A mail server that takes every letter: `python -m bench.sink PORT FILE [seconds that each command takes]`

Faster than the clients that it measures. It appends to the file what arrived, each letter after a line with FROM_LINE.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import BinaryIO

FROM_LINE = b"\nFrom bench\n"
_REPLIES = {
    b"EHLO": b"250-sink.example.com\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 1000000\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


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
