"""What a reconciliation found, in counts and references, never addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.delivery.drift import Drift

#: How many references of a kind are told; the ledger has the others.
SHOWN = 100
_WORDS = {
    Drift.LEFT: "left there: blocked here",
    Drift.GONE: "missing there, where they had stood: blocked here",
    Drift.STILL_THERE: "still subscribed there: to be unsubscribed there",
    Drift.NEVER_CAME: "not subscribed there yet: to be added there",
    Drift.MISTAKEN: "stood there otherwise than known here: to be looked up",
}


@dataclass
class Report:
    """Grows as the walk goes on. `limit`: how many changes are made without being asked for."""

    is_full: bool
    limit: int
    total: int = 0  #: contacts to be walked, as far as is known
    contacts: int = 0  #: contacts walked
    unknown: int = 0  #: of these, nobody here
    unreadable: int = 0  #: of these, without an address or a status that can be read
    busy: int = 0  #: differences of people who are on the move, left alone this time
    found: Counter[Drift] = field(default_factory=Counter)
    refs: dict[Drift, list[str]] = field(default_factory=dict)
    settled: int = 0
    is_stopped: bool = False  #: by the limit

    @property
    def changes(self) -> int:
        """How many differences there are to settle."""
        return self.found.total()

    def note(self, drift: Drift, ref: str) -> None:
        """Count one difference."""
        self.found[drift] += 1
        refs = self.refs.setdefault(drift, [])
        if len(refs) < SHOWN:
            refs.append(ref)

    def counts(self) -> dict[str, object]:
        """What is kept: no references."""
        return {
            "full": self.is_full,
            "contacts": self.contacts,
            "unknown": self.unknown,
            "unreadable": self.unreadable,
            "busy": self.busy,
            "found": {str(drift): number for drift, number in sorted(self.found.items())},
            "changes": self.changes,
            "limit": self.limit,
            "settled": self.settled,
        }

    def lines(self) -> Iterator[str]:
        """All of it, for staff to read."""
        which = "all contacts" if self.is_full else "contacts that changed since the last time"
        yield f"Walked {self.contacts} contacts at Mailchimp ({which})."
        if self.unknown:
            yield f"Unknown here, and left alone: {self.unknown}."
        if self.unreadable:
            yield f"Without an address or a status that can be read: {self.unreadable}."
        if self.busy:
            yield f"Left alone this time, since something else is under way: {self.busy}."
        for drift in Drift:
            if number := self.found[drift]:
                yield f"{number} {_WORDS[drift]}"
                yield from (f"  {ref}" for ref in self.refs[drift])
                if number > SHOWN:
                    yield f"  and {number - SHOWN} more"
        yield self._end()

    def _end(self) -> str:
        if self.is_stopped:
            return f"Stopped: {self.changes} changes are more than {self.limit}, and none was made."
        if not self.changes:
            return "No drift: both sides agree."
        moved_on = self.changes - self.settled
        also = f"; {moved_on} had moved on meanwhile, and were left alone" if moved_on else ""
        return f"Settled {self.settled}{also}."
