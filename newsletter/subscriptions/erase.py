"""Erasing (Art. 17 GDPR): gone here at once, and from now on at Mailchimp."""

from __future__ import annotations

from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Action, Event
from newsletter.ledger import log
from newsletter.storage.database import writing
from newsletter.storage.models import Erasure, Subscription
from newsletter.subscriptions import erasures
from newsletter.subscriptions.corrections import family_of, lock_family
from newsletter.subscriptions.person import (
    Person,
    digest_of,
    keep_bare_block,
    meet,
    meet_by_ref,
)


def erase(address: Address, *, actor: str, keep_block: bool) -> str:
    """Forget somebody here at once and, from now on, at Mailchimp; the id of the erasure.

    While one is under way it is the same one again, after whatever came to stand beside it is gone, too.
    """
    with writing() as session:
        digest = digest_of(address)
        known = session.scalar(select(Subscription.ref).where(Subscription.digest == digest))
        if known is not None:
            lock_family(session, known)
        person = meet(session, address)
        refs = family_of(session, person.row) if person.row else []
        met = (meet_by_ref(session, ref) for ref in refs)
        relatives = [relative for relative in met if relative is not None and relative.row]
        people = [person, *relatives]
        shared = erasures.together(session, [each.digest for each in people])
        for each in people:
            each.erased_with = shared
        for relative in relatives:
            relative.act(Action.ERASE, actor=actor, keep_block=keep_block)
        return begin_erasure(person, actor=actor, keep_block=keep_block).id


def begin_erasure(person: Person, *, actor: str, keep_block: bool) -> Erasure:
    """Forget one person, or take up the erasure that is under way."""
    erasure = erasures.find_open(person.session, person.digest)
    if erasure is not None and erasure.keep_block and _is_bare(person.row):
        return erasure
    if erasure is None or person.row is not None:
        person.act(Action.ERASE, actor=actor, keep_block=keep_block)
        # Nobody finds it by the digest where a digest was all there was: then it is gone by now.
        erasure = person.erasure
    elif keep_block:
        erasure.keep_block = True
        # Once more, so that the next checkpoint is due at once and names the block: a restored backup keeps it, too.
        log.append(person.session, ref=erasure.ref, event=Event.ERASED, at=person.now, actor=actor)
        keep_bare_block(person, person.standing)
    person.session.flush()
    assert erasure is not None  # noqa: S101 - tells mypy; erasing has just begun one
    return erasure


def _is_bare(row: Subscription | None) -> bool:
    """Tell whether a block is all that is left, and its address only a digest."""
    return row is not None and row.address is None
