"""Correcting an address (Art. 16 GDPR)."""

from __future__ import annotations

import secrets

from sqlalchemy import bindparam, or_, update
from sqlalchemy.orm import Session

from newsletter.domain.address import Address
from newsletter.domain.errors import BlockedHard, CannotCorrect, WrittenTooOften
from newsletter.domain.lifecycle import Block, Event, Reason, Status, must_wait
from newsletter.ledger import log
from newsletter.storage.database import is_sqlite, lock, writing
from newsletter.storage.models import Subscription
from newsletter.subscriptions import wording
from newsletter.subscriptions.family import lock_family
from newsletter.subscriptions.links import Link
from newsletter.subscriptions.person import (
    OPEN,
    Known,
    Person,
    digest_of,
    keep_address,
    known,
    meet,
    meet_by_ref,
)
from newsletter.subscriptions.sign_up import ask
from newsletter.subscriptions.transition import act, expire_if_due


def agrees_to_replace(session: Session, link: Link, row: Subscription) -> bool:
    """Tell whether a confirmation is one of the correction, too, and not of the new address alone.

    Where staff or Mailchimp vouched for the correction, any letter's link confirms it. Else only a letter does that was
    written since the newest correction of the old address: an earlier one, which the owner of the new address asked
    for, said nothing of it, and its link must not bind them to a stranger who named their address.
    """
    assert row.replaces_ref is not None  # noqa: S101 - tells mypy; there is somebody to replace
    if row.follows_ref == row.replaces_ref:
        return True
    corrected = log.newest_of(session, row.replaces_ref, Event.RECTIFIED)
    # A link names the second alone, in which nobody is written to twice.
    return corrected is not None and link.written_at >= corrected.at.replace(microsecond=0)


def meet_with_replaced(session: Session, ref: str) -> Known | None:
    """Find somebody by reference; those whom they are to replace are locked, too."""
    person = meet_by_ref(session, ref)
    if is_sqlite() or person is None or person.row.replaces_ref is None:
        return person
    session.rollback()
    lock_family(session, ref)
    return meet_by_ref(session, ref)


def block_rectified(session: Session, ref: str) -> None:
    """An address that was corrected is blocked when the new one is confirmed."""
    old = meet_by_ref(session, ref)
    if old is not None:
        act(old, Block(Reason.RECTIFIED))


def rectify(old: Address, new: Address, *, actor: str, is_proven: bool = True) -> None:
    """Correct an address; the old one keeps its status until the new one confirms.

    Raise NobodyKnown, CannotCorrect for somebody who left, BlockedHard where only staff could let the new one in, or
    WrittenTooOften where it cannot be asked now. Unless it `is_proven` that both belong to one person, the new one may
    be a stranger's: then the answer does not reveal its status, and only a confirmation of the correction binds both.
    """
    with writing() as session:
        person, after = meet_both(session, old, new)
        before = known(person)
        if before.row.status not in (Status.PENDING, Status.CONFIRMED):
            raise CannotCorrect
        if old.key == new.key:
            # Only its spelling changed: the same person, the same mailbox.
            keep_address(before.row, new)
            note_rectified(before, actor=actor)
            return
        if is_proven:
            _refuse_unasked(after)
        note_rectified(before, actor=actor)
        if is_proven:
            succeed(before, after)
        else:
            _ask_perhaps_a_stranger(before, after)


def _refuse_unasked(new: Person) -> None:
    """Raise BlockedHard or WrittenTooOften where the new address's owner has to be asked and cannot be asked now."""
    standing = new.standing
    if standing.status is Status.CONFIRMED:
        return
    if standing.is_hard(new.now) or standing.held:
        raise BlockedHard
    if must_wait(standing, new.quota.sent(), new.now):
        raise WrittenTooOften


def meet_both(session: Session, old: Address, new: Address) -> tuple[Person, Person]:
    """Find two people; their addresses are locked in one order for everybody, so that no two callers deadlock."""
    lock(session, digest_of(old), digest_of(new))
    return expire_if_due(meet(session, old)), expire_if_due(meet(session, new))


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


def succeed(old: Known, new: Person, *, in_any_case: bool = False) -> Person:
    """Ask the new address's owner to confirm, as after a sign-up; one who is confirmed already is not asked."""
    if new.standing.status is Status.CONFIRMED:
        act(old, Block(Reason.RECTIFIED))
        return new
    consent = wording.current_in(new.session, old.row.locale)
    asked = ask(new, consent, in_any_case=in_any_case).person
    if isinstance(asked, Known) and asked.row.status in OPEN:
        asked.row.replaces_ref = asked.row.follows_ref = old.row.ref
    return asked


def _ask_perhaps_a_stranger(old: Known, new: Person) -> None:
    """Ask the new address's owner as a sign-up does; a dash leaves both as they are and takes the same statements."""
    outcome = ask(new, wording.current_in(new.session, old.row.locale))
    asked = secrets.token_hex(16)
    if outcome.decision.changes and isinstance(outcome.person, Known):
        asked = outcome.person.row.ref
    new.session.connection().execute(_REPLACE, {"asked": asked, "replaced": old.row.ref})


#: A correction that nobody vouched for does not replace one that staff or Mailchimp vouched for.
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
