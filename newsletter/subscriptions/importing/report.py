"""What became of the rows of a file, by their numbers and never by an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from newsletter.subscriptions.importing.entry import Why


class Fate(StrEnum):
    """What became of a row that was not refused."""

    CONFIRMED = "confirmed"
    WITHOUT_PROOF = "confirmed without proof"
    BLOCKED = "blocked"
    KNOWN = "known already, and left as they are"
    BLOCKED_NOW = "known already, and blocked now"


@dataclass
class Rows:
    """Numbers of rows in ascending order, kept as ranges."""

    count: int = 0
    ranges: list[list[int]] = field(default_factory=list)

    def add(self, number: int) -> None:
        """Add the next number."""
        self.count += 1
        if self.ranges and self.ranges[-1][1] == number - 1:
            self.ranges[-1][1] = number
        else:
            self.ranges.append([number, number])

    def __str__(self) -> str:
        """`2-17, 19`."""
        return ", ".join(
            str(first) if first == last else f"{first}-{last}" for first, last in self.ranges
        )


@dataclass
class Report:
    """The rows by what became of them; `done` is the number of the last one."""

    done: int = 1
    fates: dict[Fate, Rows] = field(default_factory=dict)
    refused: dict[Why, Rows] = field(default_factory=dict)

    def note(self, number: int, what: Fate | Why) -> None:
        """Note what became of the next row."""
        if isinstance(what, Fate):
            self.fates.setdefault(what, Rows()).add(number)
        else:
            self.refused.setdefault(what, Rows()).add(number)

    def count(self, what: Fate | Why) -> int:
        """How many rows became this."""
        found = self.fates.get(what) if isinstance(what, Fate) else self.refused.get(what)
        return found.count if found else 0

    def kept(self) -> dict[str, Any]:
        """The report as JSON, to go on with after an interruption."""
        return {
            "done": self.done,
            "fates": {fate: [rows.count, rows.ranges] for fate, rows in self.fates.items()},
            "refused": {why: [rows.count, rows.ranges] for why, rows in self.refused.items()},
        }

    @classmethod
    def taken_back(cls, kept: Mapping[str, Any]) -> Report:
        """The same from its JSON."""
        return cls(
            kept["done"],
            {Fate(fate): Rows(*rows) for fate, rows in kept["fates"].items()},
            {Why(why): Rows(*rows) for why, rows in kept["refused"].items()},
        )
