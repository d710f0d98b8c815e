"""How a request arrives: octet by octet, until it is whole (RFC 9112 § 6)."""

from __future__ import annotations

import re
import time

#: Octets of a request that are held, head and body: the longest body that we read is a webhook's, of 1 MiB.
LONGEST = 1024 * 1024 + 64 * 1024
#: Octets of a head without an end. gunicorn refuses a line or a field above 8 KiB by itself.
LONGEST_HEAD = 64 * 1024

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,19})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)


class Arrival:
    """What of one request has arrived.

    It only says when to stop waiting. gunicorn's parser reads the same octets and decides what they mean; where it
    wants more, it finds the end of the stream, never a client to wait for.
    """

    def __init__(self, octets: bytes = b"") -> None:
        self.octets = bytearray()
        self.began = time.monotonic()
        self.is_whole = False
        #: Longer than what is held: a thread refuses it by its head, and the connection ends.
        self.is_cut = False
        self._body: int | None = None  #: where the body begins, once the head is there
        self._length: int | None = 0  #: None: in chunks
        self._next = (
            0  #: where the search goes on: for the end of the head, then for the next chunk
        )
        self.add(octets)

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for our word before it sends the body (RFC 9110 § 10.1.1)."""
        return (
            self._body is not None
            and len(self.octets) == self._body
            and _EXPECTS.search(self.octets) is not None
        )

    def add(self, octets: bytes) -> None:
        """Take what has come."""
        self.octets += octets
        if self._body is None:
            self._look_for_head()
        if self._body is not None:
            self._look_for_end(self._body)
        elif len(self.octets) > LONGEST_HEAD:
            self._cut()
        if not self.is_whole and len(self.octets) > LONGEST:
            self._cut()

    def _cut(self) -> None:
        self.is_whole = self.is_cut = True

    def _look_for_head(self) -> None:
        end = self.octets.find(_END_OF_HEAD, max(0, self._next - len(_END_OF_HEAD)))
        self._next = len(self.octets)
        if end < 0:
            return
        self._body = self._next = end + len(_END_OF_HEAD)
        if _CHUNKED.search(self.octets, 0, self._body):
            self._length = None
        elif length := _LENGTH.search(self.octets, 0, self._body):
            self._length = int(length[1])

    def _look_for_end(self, body: int) -> None:
        if self._length is None:
            self._walk_chunks()
        elif self._length > LONGEST:
            self._cut()
        else:
            self.is_whole = len(self.octets) >= body + self._length

    def _walk_chunks(self) -> None:
        while (end := self.octets.find(b"\r\n", self._next)) >= 0:
            size = _CHUNK.fullmatch(self.octets, self._next, end)
            if size is None:
                # gunicorn says so to the client, and the connection ends.
                self._cut()
                return
            if int(size[1], 16) == 0:
                self.is_whole = self.octets.find(_END_OF_HEAD, end) >= 0
                break
            if len(self.octets) < (after := end + int(size[1], 16) + 4):
                return
            self._next = after
        if not self.is_whole and len(self.octets) - self._next > LONGEST_HEAD:
            self._cut()
