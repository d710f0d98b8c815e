"""How many letters an address was written of late, counted in the transaction that writes the next one.

Every sign-up writes its row, whether a letter follows or not, so that neither answer nor time tells them apart.
Whoever reads and writes it holds the address's lock (database.lock).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from newsletter import rows
from newsletter.lifecycle import LETTERS_WINDOW
from newsletter.models import Quota

_LETTERS = select(Quota.letters).where(Quota.digest == bindparam("digest"))


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


def read(session: Session, digest: bytes, now: datetime) -> Counted:
    """The letters to an address that count still."""
    written: list[list[str]] = (
        session.connection().execute(_LETTERS, {"digest": digest}).scalar() or []
    )
    counts = [each for each in written if now - datetime.fromisoformat(each[0]) < LETTERS_WINDOW]
    return Counted(digest, counts)


def write(session: Session, counted: Counted, now: datetime) -> None:
    """Keep what was counted."""
    rows.insert_or_update(
        session, Quota, digest=counted.digest, letters=counted.letters, touched_at=now
    )


def uncount(session: Session, digest: bytes, letter: str) -> None:
    """Take back a letter that could not be delivered."""
    row = session.get(Quota, digest)
    if row is not None:
        row.letters = [counted for counted in row.letters if counted[1] != letter]
