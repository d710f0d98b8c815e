"""The calls received, and the scripted answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.mailchimp.answers import Answer


@dataclass
class Call:
    """One request; its path is without /3.0 and query; `status` is None until it is answered."""

    method: str
    path: str
    body: dict[str, Any] | None
    at: datetime
    query: dict[str, str] = field(default_factory=dict)
    status: int | None = None


Match = Callable[[Call], bool]


@dataclass
class _ScriptedAnswer:
    answer: Answer
    times: int
    match: Match | None


class Script:
    """Scripted answers, in their order, each for the calls that it matches."""

    def __init__(self) -> None:
        self._answers: list[_ScriptedAnswer] = []

    def add(self, answer: Answer, times: int, match: Match | None) -> None:
        """Script the answer to the next calls (that match)."""
        self._answers.append(_ScriptedAnswer(answer, times, match))

    def take(self, call: Call) -> Answer | None:
        """The scripted answer to this call, which uses it up."""
        for scripted in self._answers:
            if scripted.times > 0 and (scripted.match is None or scripted.match(call)):
                scripted.times -= 1
                return scripted.answer
        return None

    def clear(self) -> None:
        """Drop all scripted answers, and release the withheld ones."""
        for scripted in self._answers:
            scripted.times = 0
        self.release()

    def release(self) -> None:
        for scripted in self._answers:
            if scripted.answer.until is not None:
                scripted.answer.until.set()
