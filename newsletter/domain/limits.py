"""How many letters one mailbox gets: at most one in ten minutes, three a day and five about one request."""

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
    """What somebody was sent: when letters were written to the mailbox that still count (`counts()`).

    `of_request` are those of the round: of the open request, if there is one. `may_tell_way_back`: there is a way back
    to Mailchimp to be told, and it was not told recently.
    """

    letters: tuple[datetime, ...] = ()
    of_request: int = 0
    may_tell_way_back: bool = False

    def within_pause_or_full(self, now: datetime) -> bool:
        """Tell whether a letter was written just now, or all that an address gets in a day."""
        return self.daily_limit_reached or any(now - at < LETTER_PAUSE for at in self.letters)

    @property
    def daily_limit_reached(self) -> bool:
        """Tell whether all letters were written that an address gets in a day."""
        return len(self.letters) >= LETTERS_PER_WINDOW


def request_ends(first_at: datetime, now: datetime, link_days: int) -> datetime:
    """When a request ends that was asked for now, and first at a time before."""
    return min(now + timedelta(days=link_days), first_at + LONGEST_REQUEST)


def counts(written_at: datetime, now: datetime) -> bool:
    """Tell whether a letter is one of those of a day."""
    return now - written_at < LETTERS_WINDOW


def way_back_told_recently(told_at: datetime | None, now: datetime) -> bool:
    """Tell whether a person is not told the way back to Mailchimp again."""
    return told_at is not None and now - told_at < WAY_BACK_PAUSE
