"""Correcting an address (Art. 16 GDPR), and the rows that a correction binds together."""

from __future__ import annotations

import secrets

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from newsletter.domain.address import Address
from newsletter.domain.errors import (
    BlockedHard,
    CannotCorrect,
    WrittenTooOften,
)
from newsletter.domain.lifecycle import Block, Event, Reason, Status, must_wait
from newsletter.ledger import log
from newsletter.storage.database import is_sqlite, lock, writing
from newsletter.storage.models import Letter, Subscription
from newsletter.subscriptions import wording
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

    Where staff or Mailchimp vouched for it, whatever letter was clicked is. Else only a letter is that was written
    since the newest correction of the old address: an earlier one, which its owner asked for themselves, said nothing
    of it, and whoever clicks it must not be bound to a stranger who named their address.
    """
    assert row.replaces_ref is not None  # noqa: S101 - tells mypy; there is somebody to replace
    if row.follows_ref == row.replaces_ref:
        return True
    written_at = session.scalar(select(Letter.written_at).where(Letter.id == link.letter))
    corrected = log.newest_of(session, row.replaces_ref, Event.RECTIFIED)
    return written_at is not None and corrected is not None and written_at >= corrected.at


def meet_with_replaced(session: Session, ref: str) -> Known | None:
    """Meet somebody who is to replace others only while those are locked, too."""
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


def replaced_by(session: Session, ref: str) -> list[str]:
    """Whom a confirmation blocks: the predecessor, and whom that one was to replace, and so on."""
    refs = [ref]
    replaced = session.scalar(_REPLACED, {"ref": ref})
    while replaced is not None and replaced not in refs:
        refs.append(replaced)
        replaced = session.scalar(_REPLACED, {"ref": replaced})
    return refs[1:]


_REPLACED = select(Subscription.replaces_ref).where(Subscription.ref == bindparam("ref"))


def family_of(session: Session, row: Subscription) -> list[str]:
    """The other rows of a person whose address was corrected, before and after."""
    return sorted(_family(session, row.ref).keys() - {row.ref})


def _family(session: Session, *refs: str) -> dict[str, bytes]:
    """People and all rows they are bound to by corrections: each one's digest by its reference."""
    family: dict[str, bytes] = {}
    seen: set[str] = set()
    fresh = set(refs)
    while fresh:
        seen |= fresh
        kin = session.connection().execute(_KIN, {"refs": sorted(fresh)}).all()
        family |= {each.ref: each.digest for each in kin}
        bound = {each.follows_ref for each in kin if each.follows_ref is not None}
        fresh = (family.keys() | bound) - seen
    return family


_KIN = select(Subscription.ref, Subscription.digest, Subscription.follows_ref).where(
    or_(
        Subscription.follows_ref.in_(bindparam("refs", expanding=True)),
        Subscription.ref.in_(bindparam("refs", expanding=True)),
    )
)


def lock_family(session: Session, ref: str) -> None:
    """Lock somebody, their family and whom they replace, in an order that nobody crosses; at a transaction's start."""
    locked: set[bytes] = set()
    while not is_sqlite() and not (wanted := _to_lock(session, ref)) <= locked:
        if locked:
            # Somebody joined the family while we waited: let go of all, and begin again with them.
            session.rollback()
        lock(session, *wanted)
        locked = wanted


def _to_lock(session: Session, ref: str) -> set[bytes]:
    # No row is read whole: what is read before it is locked would be taken for how it stands then.
    return set(_family(session, ref, *replaced_by(session, ref)).values())


def rectify(old: Address, new: Address, *, actor: str, is_proven: bool = True) -> None:
    """An address is corrected; the old one stands until the new one confirms.

    Raise NobodyKnown, CannotCorrect for whoever left, BlockedHard where only staff could let the new one in, or
    WrittenTooOften where it cannot be asked now. Unless it `is_proven` that both are one person's, the new one may be
    anybody's: nothing then tells where they stand, and both are bound to each other only by a confirmation of the
    correction.
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
    """Nobody is replaced by an address whose owner cannot be asked now; one who is confirmed needs no asking."""
    standing = new.standing
    if standing.status is Status.CONFIRMED:
        return
    if standing.is_hard(new.now) or standing.held:
        raise BlockedHard
    if must_wait(standing, new.quota.sent(), new.now):
        raise WrittenTooOften


def meet_both(session: Session, old: Address, new: Address) -> tuple[Person, Person]:
    """Meet two people, in an order that nobody else can cross."""
    lock(session, digest_of(old), digest_of(new))
    return expire_if_due(meet(session, old)), expire_if_due(meet(session, new))


def note_rectified(old: Known, *, actor: str) -> None:
    """Write down that an address was corrected."""
    log.append(
        old.session,
        ref=old.row.ref,
        round=old.row.round,
        event=Event.RECTIFIED,
        at=old.now,
        actor=actor,
    )


def succeed(old: Known, new: Person, *, in_any_case: bool = False) -> Person:
    """Ask the new address's owner, as if they had signed up; one who is confirmed already needs no asking."""
    if new.standing.status is Status.CONFIRMED:
        act(old, Block(Reason.RECTIFIED))
        return new
    consent = wording.current_in(new.session, old.row.locale)
    asked = ask(new, consent, in_any_case=in_any_case).person
    if isinstance(asked, Known) and asked.row.status in OPEN:
        asked.row.replaces_ref = asked.row.follows_ref = old.row.ref
    return asked


def _ask_perhaps_a_stranger(old: Known, new: Person) -> None:
    """Ask the new address's owner as a sign-up does: where that is a dash, the same is done in vain.

    One who is confirmed, blocked for good, on hold or written to of late is left alone, and so is the old one.
    """
    outcome = ask(new, wording.current_in(new.session, old.row.locale))
    asked = secrets.token_hex(16)
    if outcome.decision.changes and isinstance(outcome.person, Known):
        asked = outcome.person.row.ref
    new.session.connection().execute(_REPLACE, {"asked": asked, "replaced": old.row.ref})


#: A correction that staff or Mailchimp vouched for is not put aside by one that nobody did.
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
