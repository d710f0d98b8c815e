"""The mailbox's scripted replies and silences."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Stage = Literal["connect", "auth", "mail", "rcpt", "data"]


@dataclass
class Line:
    """A scripted reply at a stage; None hangs up."""

    stage: Stage
    reply: str | None
    times: int
    recipient: str | None
    keeps: bool

    def is_for(self, stage: Stage, recipients: Sequence[str]) -> bool:
        """Whether it applies now."""
        known = [recipient.lower() for recipient in recipients]
        is_theirs = self.recipient is None or self.recipient.lower() in known
        return self.times > 0 and self.stage == stage and is_theirs


class Script:
    """Scripted replies and silences."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._stalls: list[tuple[Stage, str | None, threading.Event]] = []
        self._lock = threading.Lock()

    def add(self, line: Line) -> None:
        """Script a reply."""
        with self._lock:
            self._lines.append(line)

    def take(self, stage: Stage, recipients: Sequence[str]) -> Line | None:
        """The scripted reply for now, which uses it up."""
        with self._lock:
            for line in self._lines:
                if line.is_for(stage, recipients):
                    line.times -= 1
                    return line
        return None

    def clear(self) -> None:
        """Drop all scripted replies."""
        with self._lock:
            self._lines.clear()

    def stall(self, stage: Stage, recipient: str | None) -> threading.Event:
        """Stay silent at a stage until the event."""
        with self._lock:
            self._stalls.append((stage, recipient, threading.Event()))
            return self._stalls[-1][2]

    def stalled(self, stage: Stage, recipients: Sequence[str]) -> threading.Event | None:
        """The event to wait for at a stage."""
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
