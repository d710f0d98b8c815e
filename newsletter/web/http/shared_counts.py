"""Where client limits count without STORAGE_URI: a table of fixed size that all web processes of a host share.

Neither its memory nor the time of a look-up grows with the number of clients. When it is full, those that were silent
longest are forgotten.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from limits.storage import MovingWindowSupport, Storage

from newsletter.domain import clock

_BYTES = 16 * 1024 * 1024  #: of memory at most; pages that no client ever needed take none
_ROWS_OF_A_BUCKET = 8  #: rows that a client may lie in; the one that was silent longest gives way
_HEAD = struct.Struct("<QI")  #: of a row: the fingerprint and the newest time


class Table:
    """The times of each client's last requests, `amount` of them; made before the processes fork that share it."""

    def __init__(self, amount: int, room: int = _BYTES) -> None:
        #: A client's fingerprint, then whole seconds since 1970, the newest first; 0 for none.
        self._row = struct.Struct(f"<Q{amount}I")
        self._amount = amount
        self._buckets = max(1, room // self._row.size // _ROWS_OF_A_BUCKET)
        # In a file, since a file's lock ends with a process that is killed; a semaphore's does not.
        self._file = _file_in_memory()
        os.ftruncate(self._file, self._buckets * _ROWS_OF_A_BUCKET * self._row.size)
        self._memory = mmap.mmap(self._file, 0)
        self._threads = threading.Lock()

    def count(self, client: str, amount: int, seconds: int, now: int) -> bool:
        """Count a request, unless there were `amount` in the last seconds; False: it was not counted."""
        fingerprint, bucket = self._place(client)
        with self._locked(bucket):
            at, times = self._find(fingerprint, bucket)
            recent = [time for time in times if time > now - seconds]
            if len(recent) >= amount:
                return False
            times = (now, *recent, *(0,) * self._amount)[: self._amount]
            self._row.pack_into(self._memory, at, fingerprint, *times)
            return True

    def recent(self, client: str, seconds: int, now: int) -> list[int]:
        """The times of the requests that count, newest first."""
        fingerprint, bucket = self._place(client)
        with self._locked(bucket):
            _, times = self._find(fingerprint, bucket)
        return [time for time in times if time > now - seconds]

    def _place(self, client: str) -> tuple[int, int]:
        # Hashed again, since the limiter adds text to a client's keyed hash.
        digest = hashlib.blake2b(client.encode(), digest_size=16).digest()
        return int.from_bytes(digest[:8]) or 1, int.from_bytes(digest[8:]) % self._buckets

    def _find(self, fingerprint: int, bucket: int) -> tuple[int, tuple[int, ...]]:
        """Where a client's row is, or is to be, and its times."""
        size = self._row.size
        first = bucket * _ROWS_OF_A_BUCKET * size
        rows = range(first, first + _ROWS_OF_A_BUCKET * size, size)
        heads = {at: _HEAD.unpack_from(self._memory, at) for at in rows}
        for at, (whose, _) in heads.items():
            if whose == fingerprint:
                return at, self._row.unpack_from(self._memory, at)[1:]
        return min(rows, key=lambda at: heads[at][1]), (0,) * self._amount

    @contextmanager
    def _locked(self, bucket: int) -> Iterator[None]:
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX, 1, bucket)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, bucket)


def _file_in_memory() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("client limits")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class SharedCounts(Storage, MovingWindowSupport):
    """The table as the `limits` package wants it, for its moving window alone."""

    STORAGE_SCHEME = ["shared-counts"]  # noqa: RUF012 - as the package declares it

    def __init__(self, uri: str, table: Table, **options: bool) -> None:
        super().__init__(uri, **options)
        self._table = table

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return self._table.count(key, limit - amount + 1, expiry, _now())

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        times = self._table.recent(key, expiry, _now())
        return float(times[-1] if times else _now()), len(times)

    @property
    def base_exceptions(self) -> type[Exception]:
        return OSError

    def check(self) -> bool:
        return True

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError

    def get(self, key: str) -> int:
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError

    def reset(self) -> int | None:
        raise NotImplementedError

    def clear(self, key: str) -> None:
        raise NotImplementedError


def _now() -> int:
    return int(clock.now().timestamp())
