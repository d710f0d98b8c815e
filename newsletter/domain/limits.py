"""Limits of the letters to one mailbox: one in ten minutes, three a day, five for one request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LETTER_PAUSE = timedelta(minutes=10)
LETTERS_WINDOW = timedelta(hours=24)
LETTERS_PER_WINDOW = 3
LETTERS_PER_REQUEST = 5
LONGEST_REQUEST = timedelta(days=14)  #: from its first sign-up to its end
WAY_BACK_PAUSE = timedelta(days=30)


@dataclass(frozen=True)
class Sent:
    """What somebody was sent. `letters`: when the letters of the last 24 hours to the mailbox were written.

    `of_request`: how many were written in this round. `may_tell_way_back`: there is a way back to Mailchimp, and it was
    not told recently.
    """

    letters: tuple[datetime, ...] = ()
    of_request: int = 0
    may_tell_way_back: bool = False

    def within_pause_or_full(self, now: datetime) -> bool:
        """Whether the pause after the last letter lasts, or the daily limit is reached."""
        return self.daily_limit_reached or any(now - at < LETTER_PAUSE for at in self.letters)

    @property
    def daily_limit_reached(self) -> bool:
        return len(self.letters) >= LETTERS_PER_WINDOW


def request_ends(first_at: datetime, now: datetime, link_days: int) -> datetime:
    """When a request ends whose last sign-up is now; `first_at`: its first one."""
    return min(now + timedelta(days=link_days), first_at + LONGEST_REQUEST)


def counts(written_at: datetime, now: datetime) -> bool:
    """Whether a letter counts for the daily limit."""
    return now - written_at < LETTERS_WINDOW


def way_back_told_recently(told_at: datetime | None, now: datetime) -> bool:
    return told_at is not None and now - told_at < WAY_BACK_PAUSE
