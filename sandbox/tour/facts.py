"""The present facts about one person: from the service, the mailbox and the stand-in Mailchimp."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sandbox.mailbox import Letter
from sandbox.mailchimp import Contact
from sandbox.mailchimp.audience import BY_API
from sandbox.tour.service import Answer

LETTERS_A_DAY = 3
_HARD = frozenset({"complaint", "not_me", "staff", "bounce"})
_FROM_THERE = frozenset({"unsubscribed", "complaint", "bounce"})
_DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Held:
    """The service's answer to POST /admin/access."""

    said: dict[str, Any]

    @property
    def status(self) -> str:
        """pending, confirmed, blocked, returning or erasing."""
        return str(self.said["status"])

    @property
    def reason(self) -> str | None:
        return self.said.get("reason")

    @property
    def is_blocked_hard(self) -> bool:
        """Whether no sign-up can end the block."""
        return self.status == "blocked" and self.reason in _HARD

    @property
    def at_mailchimp(self) -> str:
        """The status at Mailchimp as the service knows it."""
        return str(self.said["mailchimp"]["status"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events, oldest first, without those of access."""
        return [event for event in self.said.get("events", []) if event["event"] != "viewed"]

    @property
    def looks(self) -> int:
        """How often access was given, which is an event, too."""
        return len(self.said.get("events", [])) - len(self.events)

    def times(self, event: str) -> int:
        """How often an event has happened."""
        return Counter(each["event"] for each in self.events)[event]

    @property
    def letters(self) -> list[dict[str, Any]]:
        """The letters written, oldest first."""
        return list(self.said.get("letters", []))

    def letters_of_the_day(self) -> list[datetime]:
        """The times of the letters that count towards three a day."""
        written = [
            datetime.fromisoformat(letter["written_at"])
            for letter in self.letters
            if letter["failed_at"] is None
        ]
        return [at for at in written if datetime.now(UTC) - at < _DAY]


@dataclass(frozen=True)
class Facts:
    """One person, seen from four sides; `email` is "" while nobody is chosen."""

    email: str = ""
    access: Answer | None = None
    erasure: Answer | None = None
    letters: tuple[
        tuple[int, Letter], ...
    ] = ()  #: to this person, with their numbers in the mailbox
    contact: Contact | None = None
    is_forgotten: bool = False  #: deleted for ever at Mailchimp
    leave_path: str | None = None  #: the person's own unsubscribe link, if it was seen
    data_path: str | None = None  #: the link to their data on the success page, if it was seen

    @property
    def held(self) -> Held | None:
        """The data that the service holds; None where there is none, or it did not answer."""
        is_held = self.access is not None and self.access.status == 200
        return Held(self.access.body) if self.access is not None and is_held else None

    @property
    def has_left_there(self) -> bool:
        """Whether the last block began at Mailchimp: an unsubscribe there, or a bounce."""
        if self.contact is None or self.held is None or self.held.reason not in _FROM_THERE:
            return False
        is_out = self.contact.status in ("unsubscribed", "cleaned")
        return is_out and self.contact.unsubscribe_reason != BY_API

    @property
    def letter(self) -> tuple[int, Letter] | None:
        """The newest letter of the service, if it is in the mailbox."""
        if self.held is None or not self.held.letters:
            return None
        wanted = self.held.letters[-1].get("message_id")
        found = [pair for pair in self.letters if pair[1].message["Message-ID"] == wanted]
        return found[-1] if found else None

    @property
    def confirm_path(self) -> str | None:
        """The path of that letter's link."""
        return path_in(self.letter[1], "confirm") if self.letter else None

    @property
    def is_asked(self) -> bool:
        """Whether a letter waits for its answer."""
        return self.held is not None and self.held.status in ("pending", "returning")


def path_in(letter: Letter, purpose: str) -> str | None:
    """The path of a letter's link; only the service is asked for it."""
    found = re.search(rf"https?://[^/\s]+/{purpose}/\S+", letter.body("plain") or "")
    return urlsplit(found.group()).path if found else None
