"""What is found: one mistake, and how it is mended, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Whose mistake it is (a variable's name), what is wrong, what to do; never a secret or an address.

    Without a remedy, what is wrong says what to do.

    A hint is worth knowing but no mistake: perhaps it is meant, or will be right as soon as all runs.
    """

    about: str
    wrong: str
    remedy: str
    is_hint: bool = False

    def __str__(self) -> str:
        what_to_do = f"; {self.remedy}" if self.remedy else ""
        return f"{self.about}: {self.wrong}{what_to_do}."
