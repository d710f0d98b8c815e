"""Erasing (Art. 17 GDPR): gone here at once, and from now on at Mailchimp."""

from __future__ import annotations

from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Erase, Event
from newsletter.ledger import log
from newsletter.storage.database import writing
from newsletter.storage.models import Erasure, Subscription
from newsletter.subscriptions import erasures
from newsletter.subscriptions.family import family_of, lock_family
from newsletter.subscriptions.person import Known, Person, Unknown, digest_of, meet, meet_by_ref
from newsletter.subscriptions.transition import act, keep_bare_block


def erase(address: Address, *, actor: str, keep_block: bool) -> str:
    """Forget somebody here at once and, from now on, at Mailchimp; the id of the erasure.

    While one is under way it is the same one again, after whatever came to stand beside it is gone, too.
    """
    with writing() as session:
        known = session.scalar(
            select(Subscription.ref).where(Subscription.digest == digest_of(address))
        )
        if known is not None:
            lock_family(session, known)
        person = meet(session, address)
        refs = family_of(session, person.row) if isinstance(person, Known) else []
        relatives = [each for ref in refs if (each := meet_by_ref(session, ref)) is not None]
        digests = [person.digest, *(each.digest for each in relatives)]
        action = Erase(keep_block, erasures.case_id_for(session, digests))
        for relative in relatives:
            act(relative, action, actor=actor)
        return begin_erasure(person, action, actor=actor).id


def begin_erasure(person: Person, action: Erase, *, actor: str) -> Erasure:
    """Forget one person, or take up the erasure that is under way."""
    session = person.session
    erasure = erasures.find_open(session, person.digest)
    if erasure is not None and erasure.keep_block and _is_bare(person):
        return erasure
    if erasure is None or not isinstance(person, Unknown):
        # Nobody finds it by the digest where a digest was all there was: then it is gone by now.
        erasure = act(person, action, actor=actor).erasure
    elif action.keep_block:
        erasure.keep_block = True
        # Once more, so that the next checkpoint is due at once and names the block: a restored backup keeps it, too.
        log.append(session, ref=erasure.ref, event=Event.ERASED, at=person.now, actor=actor)
        keep_bare_block(person, person.standing)
    session.flush()
    assert erasure is not None  # noqa: S101 - tells mypy; erasing has just begun one
    return erasure


def _is_bare(person: Person) -> bool:
    """Tell whether a block is all that is left, and its address only a digest."""
    return isinstance(person, Known) and person.row.address is None
