"""All consent texts that were ever shown, how many records name each, and withdrawing one.

Sign-ups with a withdrawn text are refused. Open requests with it can still be confirmed, since the person agrees to
what they were shown.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import func, select

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.consent import ConsentText
from newsletter.domain.errors import PresentWording, UnknownWording
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Subscription, Wording
from newsletter.subscriptions import wording


@dataclass(frozen=True)
class Registered:
    """One consent text."""

    consent: ConsentText
    published_at: datetime
    withdrawn_at: datetime | None
    is_present: bool  #: forms show it now
    agreed: int  #: how often it was confirmed


def all_texts() -> list[Registered]:
    """Every text, the newest first."""
    present = _present(wording.preview)
    with reading() as session:
        texts = session.scalars(select(Wording).order_by(Wording.published_at.desc(), Wording.hash))
        return [
            Registered(
                wording.text_of(row),
                row.published_at,
                row.withdrawn_at,
                is_present=row.hash in present,
                agreed=row.agreed,
            )
            for row in texts
        ]


def records() -> dict[str, int]:
    """How many people's records name each text, by hash. What names one has a row of the ledger that does, too."""
    hash_, people = LedgerRow.wording, func.count(LedgerRow.ref.distinct())
    of_people = select(hash_, people).join(Subscription, Subscription.ref == LedgerRow.ref)
    with reading() as session:
        counted = session.execute(of_people.where(hash_.is_not(None)).group_by(hash_))
        return {str(text): number for text, number in counted}


def find(hash_: str) -> Registered:
    """One text by its hash, withdrawn or not; raise UnknownWording."""
    for text in all_texts():
        if text.consent.hash == hash_:
            return text
    raise _unknown()


def withdraw(hash_: str) -> None:
    """Refuse sign-ups with a text from now on. Raise UnknownWording or PresentWording."""
    with writing() as session:
        # All rows, in one order: two processes that each withdraw the text of the other's settings would leave none.
        # Sign-ups, whose foreign key only needs the key, do not wait.
        query = select(Wording).order_by(Wording.hash).with_for_update(key_share=True)
        texts = {row.hash: row for row in session.scalars(query)}
        if hash_ not in texts:
            raise _unknown()
        # The text that forms show instead must exist before this one is refused.
        if hash_ in _present(partial(wording.current_in, session)):
            raise PresentWording
        row = texts[hash_]
        if row.withdrawn_at is None:
            row.withdrawn_at = clock.now()


def warning() -> str | None:
    """A sentence for staff if the settings' text is withdrawn; None if it is not."""
    own = wording.rendered()
    with reading() as session:
        query = select(Wording.hash).where(Wording.withdrawn_at.is_not(None))
        withdrawn = set(session.scalars(query))
    listed = ", ".join(language for language, text in own.items() if text.hash in withdrawn)
    if not listed:
        return None
    return f"the consent text of the settings was withdrawn, and another one is shown ({listed})"


def _present(text_in: Callable[[str], ConsentText]) -> set[str]:
    """The hashes of the texts that forms show, in all languages."""
    with suppress(UnknownWording):  # all are withdrawn
        return {text_in(language).hash for language in config.current().locales}
    return set()


def _unknown() -> UnknownWording:
    return UnknownWording(
        "No consent text has this hash: `newsletter wording` lists those there are."
    )
