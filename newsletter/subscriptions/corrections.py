"""Correcting an address (Art. 16 GDPR)."""

from __future__ import annotations

import secrets

from sqlalchemy import bindparam, or_, update
from sqlalchemy.orm import Session

from newsletter.domain.address import Address
from newsletter.domain.errors import BlockedHard, CannotCorrect, UnknownReference, WrittenTooOften
from newsletter.domain.lifecycle import Block, Event, Reason, SignUp, Status, must_wait
from newsletter.ledger import log
from newsletter.storage.database import lock, reading, writing
from newsletter.storage.models import Subscription
from newsletter.subscriptions import wording
from newsletter.subscriptions.family import lock_family
from newsletter.subscriptions.links import Link
from newsletter.subscriptions.person import (
    OPEN,
    Known,
    Person,
    address_of,
    digest_of,
    keep_address,
    known,
    lock_person,
    lock_person_by_ref,
)
from newsletter.subscriptions.sign_up import ask_to_confirm
from newsletter.subscriptions.transition import act, expire_if_due


def agrees_to_replace(session: Session, link: Link, row: Subscription) -> bool:
    """Tell whether a confirmation also confirms the correction, and not only the new address.

    If staff or Mailchimp made the correction, the link of any letter confirms it. Otherwise only a letter does that was
    written after the newest correction of the old address: an earlier one was requested by the owner of the new
    address, who must not be bound to a stranger that names this address as their own.
    """
    assert row.replaces_ref is not None  # noqa: S101 - tells mypy; the caller has checked it
    if row.follows_ref == row.replaces_ref:
        return True
    corrected = log.newest_of(session, row.replaces_ref, Event.RECTIFIED)
    # A link contains whole seconds; nobody gets two letters in one second.
    return corrected is not None and link.written_at >= corrected.at.replace(microsecond=0)


def lock_with_replaced(session: Session, ref: str) -> Known | None:
    """`lock_person_by_ref`, which also locks the subscriptions that a confirmation replaces."""
    person = lock_person_by_ref(session, ref)
    if person is None or person.row.replaces_ref is None:
        return person
    session.rollback()
    lock_family(session, ref)
    return lock_person_by_ref(session, ref)


def block_rectified(session: Session, ref: str) -> None:
    """Block the earlier address after the new one was confirmed."""
    old = lock_person_by_ref(session, ref)
    if old is not None:
        act(old, Block(Reason.RECTIFIED))


def rectify(old: Address, new: Address, *, actor: str, is_proven: bool = True) -> None:
    """Correct an address; the old one keeps its status until the new one confirms.

    Raise NobodyKnown, CannotCorrect for a person who left, BlockedHard where only staff can unblock the new address, or
    WrittenTooOften where it cannot get a letter now.

    `is_proven`: both addresses belong to one person. Otherwise the new one may be a stranger's: the answer does not
    reveal its status, and only a confirmation of the correction connects both.
    """
    with writing() as session:
        person, after = lock_both(session, old, new)
        before = known(person)
        if before.row.status not in (Status.PENDING, Status.CONFIRMED):
            raise CannotCorrect
        if old.key == new.key:
            # Only the spelling changes: it is the same mailbox.
            keep_address(before.row, new)
            note_rectified(before, actor=actor)
            return
        if is_proven:
            _require_askable(after)
        note_rectified(before, actor=actor)
        if is_proven:
            ask_new_owner(before, after)
        else:
            _ask_unproven_owner(before, after)


def rectify_by_ref(ref: str, new: Address, *, actor: str) -> None:
    """`rectify` for a reference number; raise UnknownReference, or CannotCorrect where no address is kept."""
    with reading() as session:
        row = session.get(Subscription, ref)
        if row is None:
            raise UnknownReference
        old = address_of(row)
    if old is None:
        raise CannotCorrect
    rectify(old, new, actor=actor)


def _require_askable(new: Person) -> None:
    """Raise BlockedHard or WrittenTooOften where the owner of the new address cannot be asked now."""
    standing = new.standing
    if standing.status is Status.CONFIRMED:
        return
    if standing.is_hard(new.now) or standing.held:
        raise BlockedHard
    if must_wait(standing, new.quota.sent(), new.now):
        raise WrittenTooOften


def lock_both(session: Session, old: Address, new: Address) -> tuple[Person, Person]:
    """`lock_person` for two addresses; they are locked in a fixed order, so that no two transactions deadlock."""
    lock(session, digest_of(old), digest_of(new))
    return expire_if_due(lock_person(session, old)), expire_if_due(lock_person(session, new))


def note_rectified(old: Known, *, actor: str) -> None:
    """Log that an address was corrected."""
    log.append(
        old.session,
        ref=old.row.ref,
        round=old.row.round,
        event=Event.RECTIFIED,
        at=old.now,
        actor=actor,
    )


def ask_new_owner(old: Known, new: Person) -> Person:
    """Ask the owner of the new address to confirm, unless they are confirmed."""
    if new.standing.status is Status.CONFIRMED:
        act(old, Block(Reason.RECTIFIED))
        return new
    consent = wording.current_in(new.session, old.row.locale)
    asked = ask_to_confirm(new, SignUp(consent, even_without_letter=True)).person
    if isinstance(asked, Known) and asked.row.status in OPEN:
        asked.row.replaces_ref = asked.row.follows_ref = old.row.ref
    return asked


def _ask_unproven_owner(old: Known, new: Person) -> None:
    """Ask the owner of an address that may be a stranger's: the time taken must not reveal its status (ADR 6)."""
    outcome = ask_to_confirm(new, SignUp(wording.current_in(new.session, old.row.locale)))
    asked = secrets.token_hex(16)  # nobody's: the statement is executed in any case
    if outcome.decision.changes and isinstance(outcome.person, Known):
        asked = outcome.person.row.ref
    new.session.connection().execute(_REPLACE, {"asked": asked, "replaced": old.row.ref})


#: An unproven correction does not override one that staff or Mailchimp made.
_REPLACE = (
    update(Subscription)
    .where(
        Subscription.ref == bindparam("asked"),
        or_(
            Subscription.replaces_ref.is_(None),
            Subscription.replaces_ref.is_distinct_from(Subscription.follows_ref),
        ),
    )
    .values(replaces_ref=bindparam("replaced"))
)
