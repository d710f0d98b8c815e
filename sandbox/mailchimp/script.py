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
class _Line:
    answer: Answer
    times: int
    match: Match | None


class Script:
    """Scripted answers, in their order, each for the calls that it matches."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []

    def add(self, answer: Answer, times: int, match: Match | None) -> None:
        """Script the answer to the next calls (that match)."""
        self._lines.append(_Line(answer, times, match))

    def take(self, call: Call) -> Answer | None:
        """The scripted answer to this call, which uses it up."""
        for line in self._lines:
            if line.times > 0 and (line.match is None or line.match(call)):
                line.times -= 1
                return line.answer
        return None

    def clear(self) -> None:
        """Drop all scripted answers, and release the withheld ones."""
        for line in self._lines:
            line.times = 0
        self.release()

    def release(self) -> None:
        """Release every withheld answer."""
        for line in self._lines:
            if line.answer.until is not None:
                line.answer.until.set()
