"""All consent texts that were ever shown: which there are, who is recorded with them, and how one is withdrawn.

A text that was withdrawn is refused in sign-ups, for good. What is out already still holds: whoever gets its letter, or
has it, may confirm, since they agree to what they were shown.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.consent import ConsentText
from newsletter.domain.errors import PresentWording, UnknownWording
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Letter, Subscription, Wording
from newsletter.subscriptions import wording


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
    present = _present(wording.looked_at)
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
    with writing() as session:
        # All of them, in one order: two who each withdraw what the other's settings show would leave none. Sign-ups,
        # which only refer to a text, need not wait.
        query = select(Wording).order_by(Wording.hash).with_for_update(key_share=True)
        texts = {row.hash: row for row in session.scalars(query)}
        if hash_ not in texts:
            raise _unknown()
        # What the form is to show instead is there before this one is not taken any more.
        if hash_ in _present(partial(wording.current_in, session)):
            raise PresentWording
        row = texts[hash_]
        if row.withdrawn_at is None:
            row.withdrawn_at = clock.now()


def complaint() -> str | None:
    """That the settings' own text is not what the forms show, for staff; None where it is."""
    own = wording.rendered()
    with reading() as session:
        query = select(Wording.hash).where(Wording.withdrawn_at.is_not(None))
        withdrawn = set(session.scalars(query))
    languages = [language for language, text in own.items() if text.hash in withdrawn]
    if not languages:
        return None
    told = ", ".join(languages)
    return f"the consent text of the settings was withdrawn, and another one is shown ({told})"


def _present(text_in: Callable[[str], ConsentText]) -> set[str]:
    """The hashes of what the forms show, in all languages."""
    with suppress(UnknownWording):  # all were withdrawn
        return {text_in(language).hash for language in config.current().locales}
    return set()


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
