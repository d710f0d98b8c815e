"""Distinguishes a mail server that refuses all our letters from recipients' domains that refuse some."""

from __future__ import annotations

IN_A_ROW = 3  #: different domains, with no success between


class Refusals:
    """Recent refusals by the recipients' domains, in this process."""

    def __init__(self) -> None:
        self.domains: set[str] = set()  #: refused since the last success
        self._refusing: set[str] = (
            set()
        )  #: refused while others were accepted: they prove nothing about us

    def add(self, domain: str) -> None:
        """A letter was refused for the first time."""
        if domain not in self._refusing:
            self.domains.add(domain)

    def end(self, domain: str) -> None:
        """The server has accepted a letter."""
        self._refusing |= self.domains
        self._refusing.discard(domain)
        self.domains.clear()

    @property
    def are_about_us(self) -> bool:
        """Tell whether so many domains refused in a row that the cause must be ours."""
        return len(self.domains) >= IN_A_ROW


def domain_of(email: str) -> str:
    """The part after the @, in lower case."""
    return email.rpartition("@")[2].lower()
