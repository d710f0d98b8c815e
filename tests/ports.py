"""Ports for processes that are given theirs and bind it later."""

from __future__ import annotations

import os
import socket

#: Below those that the system hands out by itself: one of them could go to a connection before the process binds it.
#: Above 10080, the last one that browsers refuse.
_FIRST, _EACH = 11_000, 2_000
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
_used = os.getpid()


def free_port() -> int:
    """A port on which nobody listens, and which no other worker gets."""
    global _used
    while True:
        _used += 1
        port = _FIRST + _WORKER * _EACH + _used % _EACH
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
