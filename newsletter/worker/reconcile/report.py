"""The result of a reconciliation in counts and reference numbers, never addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.storage.runs.reconciliation import Stop, why_stopped
from newsletter.worker.reconcile.drift import Drift

#: How many references of each kind are listed; the ledger has the others.
SHOWN = 100
#: Settled by blocking here; the others need a call.
_SETTLED_HERE = (Drift.LEFT, Drift.GONE)
_WORDS = {
    Drift.LEFT: "left there: blocked here",
    Drift.GONE: "missing there, where they had been: blocked here",
    Drift.STILL_THERE: "still subscribed there: to be unsubscribed there",
    Drift.NEVER_CAME: "not subscribed there yet: to be added there",
    Drift.MISTAKEN: "with another status there than recorded here: to be looked up",
}


@dataclass
class Report:
    """Counts, updated during a reconciliation."""

    is_full: bool
    limit: int  #: the most changes that are made without confirmation
    total: int = 0  #: contacts to read, as far as is known
    contacts: int = 0  #: contacts read
    unknown: int = 0  #: of these, unknown here
    unreadable: int = 0  #: of these, without a readable address or status
    busy: int = 0  #: differences that are left alone since something else is under way
    found: Counter[Drift] = field(default_factory=Counter)
    refs: dict[Drift, list[str]] = field(default_factory=dict)
    settled: int = 0  #: by blocking here
    marked: int = 0  #: to be changed there by a call
    expected: int = 0  #: in a full walk: contacts that should be there
    seen: int = 0  #: of these, found
    stopped: Stop | None = None
    #: Once it has ended, and the calls were made that could be made at once:
    waiting: int = 0  #: people who are still to be brought there
    is_workers: bool = False  #: a worker makes the calls
    on_hold: str | None = None  #: the reason why Mailchimp is on hold

    @property
    def is_stopped(self) -> bool:
        """Tell whether nothing was changed, since it is probably the wrong audience."""
        return self.stopped is not None

    @property
    def changes(self) -> int:
        """The number of differences."""
        return self.found.total()

    def note(self, drift: Drift, ref: str) -> None:
        """Count one difference."""
        self.found[drift] += 1
        refs = self.refs.setdefault(drift, [])
        if len(refs) < SHOWN:
            refs.append(ref)

    def note_end(self, drift: Drift, *, is_done: bool) -> None:
        """Count a settled difference."""
        if drift in _SETTLED_HERE:
            self.settled += is_done
        else:
            self.marked += is_done

    def counts(self) -> dict[str, object]:
        """The counts that are stored, without references."""
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
        """The whole report, for staff."""
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
        """The sentence where no difference was found: only a full walk finds who is missing."""
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
