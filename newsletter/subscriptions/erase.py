"""Erasing a person (Art. 17 GDPR): here at once, at Mailchimp by the worker."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Erase, Event
from newsletter.ledger import log
from newsletter.storage.database import writing
from newsletter.storage.models import Erasure, Subscription
from newsletter.subscriptions import erasures
from newsletter.subscriptions.family import family_of, lock_family
from newsletter.subscriptions.person import (
    Known,
    Person,
    Unknown,
    digest_of,
    lock_person_by_ref,
    lock_whom,
)
from newsletter.subscriptions.transition import act, keep_bare_block


def erase(whom: Address | str, *, actor: str, keep_block: bool) -> str:
    """Erase all subscriptions of a person, named by address or reference number; the id of the erasure.

    While an erasure of the address is open, its id is returned again, and whatever was added since is erased, too.
    """
    with writing() as session:
        ref_of_whom = _ref_of(session, whom)
        if ref_of_whom is not None:
            lock_family(session, ref_of_whom)
        person = lock_whom(session, whom)
        refs = family_of(session, person.row) if isinstance(person, Known) else []
        relatives = [each for ref in refs if (each := lock_person_by_ref(session, ref)) is not None]
        digests = [person.digest, *(each.digest for each in relatives)]
        action = Erase(keep_block, erasures.case_id_for(session, digests))
        for relative in relatives:
            act(relative, action, actor=actor)
        return begin_erasure(person, action, actor=actor).id


def _ref_of(session: Session, whom: Address | str) -> str | None:
    if isinstance(whom, str):
        return whom
    return session.scalar(select(Subscription.ref).where(Subscription.digest == digest_of(whom)))


def begin_erasure(person: Person, action: Erase, *, actor: str) -> Erasure:
    """Erase one subscription, or add to the open erasure of the address."""
    session = person.session
    erasure = erasures.find_open(session, person.digest)
    if erasure is not None and erasure.keep_block and _is_bare(person):
        return erasure
    if erasure is None or not isinstance(person, Unknown):
        # Not by find_open(): an erasure of a block without an address is completed at once, without a digest.
        erasure = act(person, action, actor=actor).erasure
    elif action.keep_block:
        erasure.keep_block = True
        # Logged again, so that the next checkpoint names the block: after a restored backup it is kept, too.
        log.append(session, ref=erasure.ref, event=Event.ERASED, at=person.now, actor=actor)
        keep_bare_block(person, person.standing)
    session.flush()
    assert erasure is not None  # noqa: S101 - tells mypy; the action has just begun one
    return erasure


def _is_bare(person: Person) -> bool:
    """Tell whether only the digest of a block is kept."""
    return isinstance(person, Known) and person.row.address is None
