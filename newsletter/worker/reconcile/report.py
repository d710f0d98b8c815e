"""What a reconciliation found, in counts and references, never addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.storage.runs.reconciliation import Stop, why_stopped
from newsletter.worker.reconcile.drift import Drift

#: How many references of a kind are told; the ledger has the others.
SHOWN = 100
#: What is settled by blocking here; the rest takes a call, and is left to whoever makes those.
_SETTLED_HERE = (Drift.LEFT, Drift.GONE)
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
    settled: int = 0  #: by blocking here
    marked: int = 0  #: to be brought there by a call
    expected: int = 0  #: how many should be seen there, in a walk of all contacts
    seen: int = 0  #: and how many of them were
    stopped: Stop | None = None
    #: Once it has ended, and the calls were made that could be made at once:
    waiting: int = 0  #: people who are still to be brought there
    is_workers: bool = False  #: a worker makes the calls
    on_hold: str | None = None  #: the reason why Mailchimp is on hold

    @property
    def is_stopped(self) -> bool:
        """Tell whether nothing was changed, since it looks like a wrong list."""
        return self.stopped is not None

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

    def note_end(self, drift: Drift, *, is_done: bool) -> None:
        """Count what became of one."""
        if drift in _SETTLED_HERE:
            self.settled += is_done
        else:
            self.marked += is_done

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
            "marked": self.marked,
            "expected": self.expected,
            "seen": self.seen,
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
        yield from self._end()

    def _end(self) -> Iterator[str]:
        if self.stopped is not None:
            why = why_stopped(self.stopped, self.counts())
            yield f"Stopped: {why}; none of the changes was made."
            return
        yield self._outcome() if self.changes else self._agreement()
        if self.on_hold is not None:
            yield f"Mailchimp is on hold, and {self.waiting} wait to be brought there."
        elif self.waiting:
            yield f"{self.waiting} wait to be brought there."

    def _agreement(self) -> str:
        """What no difference means: who is missing shows in a full walk alone, and some could not be judged."""
        if not self.is_full:
            return "No drift among these; who is missing there shows with --full."
        is_all = not (self.busy or self.unreadable or self.waiting)
        return "No drift: both sides agree." if is_all else "No drift among these."

    def _outcome(self) -> str:
        is_ours = not self.is_workers and self.on_hold is None and not self.waiting
        parts = [f"Settled {self.settled + self.marked if is_ours else self.settled}"]
        if self.marked and not is_ours:
            rest = "handed to the worker" if self.is_workers else "to be brought there"
            parts.append(f"{self.marked} {rest}")
        if moved_on := self.changes - self.settled - self.marked:
            parts.append(f"{moved_on} had moved on meanwhile, and were left alone")
        return f"{'; '.join(parts)}."
