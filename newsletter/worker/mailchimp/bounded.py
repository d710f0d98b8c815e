"""Calls that are bounded in time and size, so that a peer that sends slowly or endlessly blocks nobody.

The timeout of requests starts anew with each octet, and it reads answers of any size.
"""

from __future__ import annotations

import http.client
import io
import math
import threading
import time
from typing import IO, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from newsletter.domain.errors import DeliveryFailure, Meaning

#: Octets, decompressed. The answer to a batch of 500 members has 2 MB.
LARGEST = 10_000_000
#: Octets of a compressed answer, which may become a thousand times as long.
_CHUNK = 8_192


class _Deadline(threading.local):
    """The deadline of this thread's call (monotonic)."""

    ends = math.inf


_deadline = _Deadline()


def new_session() -> requests.Session:
    """A session with these limits, without proxies and .netrc; for one thread."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
    return session


def ask(
    session: requests.Session, seconds: float, method: str, url: str, **options: Any
) -> requests.Response:
    """Make a call and read its answer within so many seconds; raise DeliveryFailure if it is too large."""
    _deadline.ends = time.monotonic() + seconds
    with session.request(method, url, stream=True, **options) as answer:
        read = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            read += chunk
            if len(read) > LARGEST:
                raise DeliveryFailure(Meaning.RETRY_LATER, "too_large", outcome_unknown=True)
        answer._content = bytes(read)
    return answer


class _UntilDeadline(io.RawIOBase):
    """Reads from a socket up to the deadline."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._ends = _deadline.ends
        self._raw: IO[bytes] = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)  # type: ignore[attr-defined,no-any-return]

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_UntilDeadline(sock))


class _Connection(HTTPConnection):
    response_class = _Response


class _TlsConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
