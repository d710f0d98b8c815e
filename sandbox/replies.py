"""What the mailbox was told to say instead of the truth, and where it was told to be silent."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Stage = Literal["connect", "auth", "mail", "rcpt", "data"]


@dataclass
class Line:
    """A reply waiting for its stage; None hangs up."""

    stage: Stage
    reply: str | None
    times: int
    recipient: str | None
    keeps: bool

    def is_for(self, stage: Stage, recipients: Sequence[str]) -> bool:
        """Tell whether it is meant for this moment."""
        known = [recipient.lower() for recipient in recipients]
        is_theirs = self.recipient is None or self.recipient.lower() in known
        return self.times > 0 and self.stage == stage and is_theirs


class Script:
    """Replies and silences waiting for the conversations they are meant for."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._stalls: list[tuple[Stage, str | None, threading.Event]] = []
        self._lock = threading.Lock()

    def add(self, line: Line) -> None:
        """Say this when its stage comes."""
        with self._lock:
            self._lines.append(line)

    def take(self, stage: Stage, recipients: Sequence[str]) -> Line | None:
        """What is to be said now instead of the truth, used up by one."""
        with self._lock:
            for line in self._lines:
                if line.is_for(stage, recipients):
                    line.times -= 1
                    return line
        return None

    def stall(self, stage: Stage, recipient: str | None) -> threading.Event:
        """From now on nothing is said at this stage before the event."""
        with self._lock:
            self._stalls.append((stage, recipient, threading.Event()))
            return self._stalls[-1][2]

    def stalled(self, stage: Stage, recipients: Sequence[str]) -> threading.Event | None:
        """What to wait for at this stage."""
        known = [None, *(recipient.lower() for recipient in recipients)]
        with self._lock:
            for at, recipient, event in reversed(self._stalls):
                if at == stage and (recipient and recipient.lower()) in known:
                    return event
        return None

    def release(self) -> None:
        """End every silence."""
        for _, _, event in self._stalls:
            event.set()
