"""What an erasure would do, for staff to see before they erase."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.storage.database import reading
from newsletter.storage.models import Subscription
from newsletter.subscriptions import erasures
from newsletter.subscriptions.family import family_of
from newsletter.subscriptions.person import digest_of
from newsletter.subscriptions.quota import mailbox_digest
from newsletter.texts import erasure_words
from newsletter.texts.bilingual import Text


@dataclass(frozen=True)
class Preview:
    """What erasing an address would do here: the texts of what it deletes, and how many corrected addresses go too."""

    deleted: list[Text]
    was_known: bool
    related: int


def preview(address: Address, *, keep_block: bool) -> Preview:
    """What an erasure would do; changes nothing."""
    digest = digest_of(address)
    with reading() as session:
        row = session.scalar(select(Subscription).where(Subscription.digest == digest))
        codes = erasures.what_exists(session, row, mailbox_digest(address, digest))
        related = len(family_of(session, row)) if row is not None else 0
    texts = [
        text
        for code, text in erasure_words.DELETED["database"]
        if code in codes and not (keep_block and code == "block")
    ]
    return Preview(texts, row is not None, related)
