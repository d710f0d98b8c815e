"""How many letters an address was written of late, counted in the transaction that writes the next one.

Every sign-up touches its row, whether a letter follows or not, so that neither answer nor time tells them apart.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.lifecycle import LETTERS_WINDOW
from newsletter.models import Quota


def touch(session: Session, digest: bytes, now: datetime) -> Quota:
    """An address's quota, made if need be, without the letters that count no longer."""
    row = session.get(Quota, digest, with_for_update=True)
    if row is None:
        row = Quota(digest=digest, letters=[])
        session.add(row)
    row.letters = [
        letter for letter in row.letters if now - datetime.fromisoformat(letter[0]) < LETTERS_WINDOW
    ]
    row.touched_at = now
    return row


def times(row: Quota) -> list[datetime]:
    """When the letters that count were written."""
    return [datetime.fromisoformat(at) for at, _ in row.letters]


def count(row: Quota, letter: str, now: datetime) -> None:
    """Count one more letter."""
    row.letters = [*row.letters, [now.isoformat(), letter]]


def uncount(session: Session, digest: bytes, letter: str) -> None:
    """Take back a letter that could not be delivered."""
    row = session.get(Quota, digest)
    if row is not None:
        row.letters = [counted for counted in row.letters if counted[1] != letter]
