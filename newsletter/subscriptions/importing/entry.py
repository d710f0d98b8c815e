"""One row of a file: a person to take over, or why the row is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from newsletter.config import Locale
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import MailchimpStatus, Reason

LONGEST_TEXT = 1000  #: of a source or a note
_SPOKEN: dict[str, Locale] = {"de": "de", "en": "en"}
_FORMS = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y")


class Why(StrEnum):
    """Why a row is refused; its words for staff."""

    NO_ADDRESS = "no e-mail address"
    NO_TIME = "no time of consent"
    WRONG_TIME = "a time that cannot be read, or is still to come"
    TOO_LONG = "a source or a note of more than 1,000 characters"
    ERASED = "the person is being erased"
    PENDING = "the person did not confirm"
    DAMAGED = "not as an export writes it"


class Refused(Exception):
    """Not an error: the row is reported, and the next one read."""

    def __init__(self, why: Why) -> None:
        self.why = why


@dataclass(frozen=True)
class Entry:
    """A person as the file states them; `reason`: they left there, None: they are subscribed.

    Of an export of our own, `stated` is the evidence that it passes on, and `kept_since` since when a block is kept.
    """

    address: Address
    origin: str
    reason: Reason | None = None
    confirmed_at: datetime | None = None
    requested_at: datetime | None = None
    left_at: datetime | None = None
    language: Locale | None = None
    source: str | None = None
    note: str | None = None
    at_mailchimp: MailchimpStatus | None = None
    is_held: bool = False
    kept_since: datetime | None = None
    stated: Mapping[str, str | int | None] | None = None

    @property
    def is_without_proof(self) -> bool:
        """Tell whether they are said to be subscribed, and nothing says since when."""
        return self.reason is None and self.confirmed_at is None


def moment(text: str, now: datetime) -> datetime | None:
    """A time as files state it, in UTC where no zone is named; None where it is empty. Raise Refused."""
    text = text.strip()
    if not text:
        return None
    read = _iso(text) or _german(text)
    if read is None:
        raise Refused(Why.WRONG_TIME)
    read = read if read.tzinfo else read.replace(tzinfo=UTC)
    if read.year < 1990 or read > now:
        raise Refused(Why.WRONG_TIME)
    return read.astimezone(UTC)


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _german(text: str) -> datetime | None:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added by the caller
        except ValueError:
            continue
    return None


def short(text: str) -> str | None:
    """A source or a note; None where it is empty. Raise Refused."""
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise Refused(Why.TOO_LONG)
    return text or None


def language(text: str) -> Locale | None:
    """A language that is spoken here."""
    return _SPOKEN.get(text.strip().lower()[:2])
