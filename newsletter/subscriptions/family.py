"""The subscriptions of one person whose address was corrected: earlier and later addresses."""

from __future__ import annotations

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from newsletter.storage.database import lock
from newsletter.storage.models import Subscription


def replaced_by(session: Session, ref: str) -> list[str]:
    """References of the subscriptions that a confirmation blocks, following `replaces_ref` from one to the next."""
    refs = [ref]
    replaced = session.scalar(_REPLACED, {"ref": ref})
    while replaced is not None and replaced not in refs:
        refs.append(replaced)
        replaced = session.scalar(_REPLACED, {"ref": replaced})
    return refs[1:]


_REPLACED = select(Subscription.replaces_ref).where(Subscription.ref == bindparam("ref"))


def family_of(session: Session, row: Subscription) -> list[str]:
    """References of the other subscriptions of the same person."""
    return sorted(_family(session, row.ref).keys() - {row.ref})


def _family(session: Session, *refs: str) -> dict[str, bytes]:
    """Digests by reference of all subscriptions that corrections connect to these."""
    family: dict[str, bytes] = {}
    seen: set[str] = set()
    fresh = set(refs)
    while fresh:
        seen |= fresh
        related = session.connection().execute(_RELATED, {"refs": sorted(fresh)}).all()
        family |= {each.ref: each.digest for each in related}
        followed = {each.follows_ref for each in related if each.follows_ref is not None}
        fresh = (family.keys() | followed) - seen
    return family


_RELATED = select(Subscription.ref, Subscription.digest, Subscription.follows_ref).where(
    or_(
        Subscription.follows_ref.in_(bindparam("refs", expanding=True)),
        Subscription.ref.in_(bindparam("refs", expanding=True)),
    )
)


def lock_family(session: Session, ref: str) -> None:
    """Lock a subscription, its family and those it replaces, in a fixed order. Call it first in a transaction."""
    locked: set[bytes] = set()
    while not (wanted := _digests_to_lock(session, ref)) <= locked:
        if locked:
            # The family has grown while this transaction waited: release all locks and start again.
            session.rollback()
        lock(session, *wanted)
        locked = wanted


def _digests_to_lock(session: Session, ref: str) -> set[bytes]:
    # Only columns: the session would keep objects that were read before the lock.
    return set(_family(session, ref, *replaced_by(session, ref)).values())
