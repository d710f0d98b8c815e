"""Tells a mail server that refuses us from recipients' domains that refuse letters."""

from __future__ import annotations

IN_A_ROW = 3  #: different domains, with no success between


class Refusals:
    """What became of the letters of late, by their recipients' domains; known to this process alone."""

    def __init__(self) -> None:
        self.domains: set[str] = set()  #: refused since the last success
        self._refusing: set[str] = set()  #: refused while others were not: they show nothing new

    def add(self, domain: str) -> None:
        """A letter was refused that never was before."""
        if domain not in self._refusing:
            self.domains.add(domain)

    def end(self, domain: str) -> None:
        """The server has accepted a letter."""
        self._refusing |= self.domains
        self._refusing.discard(domain)
        self.domains.clear()

    @property
    def are_about_us(self) -> bool:
        """Tell whether so many domains cannot all refuse letters by themselves."""
        return len(self.domains) >= IN_A_ROW
