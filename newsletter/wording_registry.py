"""All consent texts that were ever shown: which there are, who is recorded with them, and how one is withdrawn.

A text that was withdrawn is refused in sign-ups. What is out already still holds: whoever gets its letter, or has it,
may confirm, since they agree to what they were shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from newsletter import clock, config, wording
from newsletter.database import reading, writing
from newsletter.errors import PresentWording, UnknownWording
from newsletter.models import LedgerRow, Letter, Subscription, Wording
from newsletter.wording import ConsentText


@dataclass(frozen=True)
class Registered:
    """One text and what became of it; `records` counts the people of whom a record names it."""

    consent: ConsentText
    published_at: datetime
    withdrawn_at: datetime | None
    is_present: bool
    records: int


def all_texts() -> list[Registered]:
    """Every text, the newest first."""
    present = {consent.hash for consent in _present(wording.looked_at)}
    with reading() as session:
        people = _people_by_text(session)
        texts = session.scalars(select(Wording).order_by(Wording.published_at.desc(), Wording.hash))
        return [
            Registered(
                wording.of(row),
                row.published_at,
                row.withdrawn_at,
                is_present=row.hash in present,
                records=people.get(row.hash, 0),
            )
            for row in texts
        ]


def find(hash_: str) -> Registered:
    """One text by its hash, withdrawn or not; raise UnknownWording."""
    for text in all_texts():
        if text.consent.hash == hash_:
            return text
    raise _unknown()


def withdraw(hash_: str) -> None:
    """Take no more sign-ups with a text; again: nothing more. Raise UnknownWording or PresentWording."""
    # What the form is to show instead is there before this one is not taken any more.
    present = {consent.hash for consent in _present(wording.current)}
    with writing() as session:
        row = session.get(Wording, hash_, with_for_update=True)
        if row is None:
            raise _unknown()
        if hash_ in present:
            raise PresentWording
        if row.withdrawn_at is None:
            row.withdrawn_at = clock.now()


def _present(text_in: Callable[[str], ConsentText]) -> Iterator[ConsentText]:
    for language in config.current().locales:
        with suppress(UnknownWording):  # all of that language were withdrawn
            yield text_in(language)


def _people_by_text(session: Session) -> dict[str, int]:
    """How many people are recorded with each text: in their row, in a letter, or in the ledger."""
    named = union(
        select(Subscription.ref, Subscription.wording),
        select(Letter.ref, Letter.wording),
        select(LedgerRow.ref, LedgerRow.wording).join(
            Subscription, Subscription.ref == LedgerRow.ref
        ),
    ).subquery()
    hash_ = named.c.wording
    counting = select(hash_, func.count()).where(hash_.is_not(None)).group_by(hash_)
    return dict(session.execute(counting).all())


def _unknown() -> UnknownWording:
    return UnknownWording(
        "No consent text has this hash: `newsletter wording` lists those there are."
    )
