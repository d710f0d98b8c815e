"""One mistake and its remedy, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """The subject (mostly a variable's name), what is wrong, and what to do; never a secret or an e-mail address.

    A hint leaves the exit status 0: it may be intended, or disappear as soon as everything runs.
    """

    about: str
    wrong: str
    remedy: str  #: may be empty where `wrong` says what to do
    is_hint: bool = False

    def __str__(self) -> str:
        what_to_do = f"; {self.remedy}" if self.remedy else ""
        return f"{self.about}: {self.wrong}{what_to_do}."
