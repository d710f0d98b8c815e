"""How many letters an address was written of late, counted in the transaction that writes the next one.

Every sign-up writes its row, whether a letter follows or not, so that neither answer nor time tells them apart.
Whoever reads and writes it holds the address's lock (database.lock).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.domain.lifecycle import LETTERS_PER_WINDOW, LETTERS_WINDOW
from newsletter.storage import statements
from newsletter.storage.models import Quota


@dataclass
class Counted:
    """The letters that count, each as [RFC 3339 time, letter's id]."""

    digest: bytes
    letters: list[list[str]] = field(default_factory=list)

    @property
    def times(self) -> list[datetime]:
        """When they were written."""
        return [datetime.fromisoformat(at) for at, _ in self.letters]

    def count(self, letter: str, now: datetime) -> None:
        """Count one more."""
        self.letters.append([now.isoformat(), letter])


def that_count(digest: bytes, written: list[list[str]], now: datetime) -> Counted:
    """Of the letters that were written to an address, those that count still."""
    counts = [each for each in written if now - datetime.fromisoformat(each[0]) < LETTERS_WINDOW]
    return Counted(digest, counts)


def write(session: Session, counted: Counted, now: datetime) -> None:
    """Keep what was counted."""
    statements.insert_or_update(
        session, Quota, digest=counted.digest, letters=counted.letters, touched_at=now
    )


def count_copy(session: Session, digest: bytes, letter: str, now: datetime) -> None:
    """Count a letter once more: it is sent again, since nobody knows whether it arrived."""
    row = session.get(Quota, digest)
    write(session, Counted(digest, [*(row.letters if row else ()), [now.isoformat(), letter]]), now)


def uncount(session: Session, digest: bytes, letter: str, *, since: datetime | None = None) -> None:
    """Take back a letter that could not be delivered; only what was counted since then, if that is given."""
    row = session.get(Quota, digest)
    if row is not None:
        row.letters = [
            [at, counted]
            for at, counted in row.letters
            if counted != letter or (since is not None and datetime.fromisoformat(at) < since)
        ]


def has_room_from(session: Session, digest: bytes, earliest: datetime) -> datetime:
    """When the next letter may go to an address, by the day's cap."""
    row = session.get(Quota, digest)
    times = sorted(datetime.fromisoformat(at) for at, _ in row.letters) if row else []
    if len(times) < LETTERS_PER_WINDOW:
        return earliest
    return max(earliest, times[-LETTERS_PER_WINDOW] + LETTERS_WINDOW)
