"""The mailbox's scripted replies and silences."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Stage = Literal["connect", "auth", "mail", "rcpt", "data"]


@dataclass
class ScriptedReply:
    """The reply at a stage; None hangs up."""

    stage: Stage
    reply: str | None
    times: int
    recipient: str | None
    keeps: bool

    def is_for(self, stage: Stage, recipients: Sequence[str]) -> bool:
        known = [recipient.lower() for recipient in recipients]
        is_theirs = self.recipient is None or self.recipient.lower() in known
        return self.times > 0 and self.stage == stage and is_theirs


class Script:
    """Scripted replies and silences."""

    def __init__(self) -> None:
        self._replies: list[ScriptedReply] = []
        self._stalls: list[tuple[Stage, str | None, threading.Event]] = []
        self._lock = threading.Lock()

    def add(self, scripted: ScriptedReply) -> None:
        with self._lock:
            self._replies.append(scripted)

    def take(self, stage: Stage, recipients: Sequence[str]) -> ScriptedReply | None:
        """The scripted reply for now, which uses it up."""
        with self._lock:
            for scripted in self._replies:
                if scripted.is_for(stage, recipients):
                    scripted.times -= 1
                    return scripted
        return None

    def clear(self) -> None:
        with self._lock:
            self._replies.clear()

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
        for _, _, event in self._stalls:
            event.set()
