"""The rows of one person whose address was corrected, before and after."""

from __future__ import annotations

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from newsletter.storage.database import is_sqlite, lock
from newsletter.storage.models import Subscription


def replaced_by(session: Session, ref: str) -> list[str]:
    """References of those whom a confirmation blocks: the predecessor, and whom that one was to replace, and so on."""
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
    """All rows that corrections bind to these: each one's digest by its reference."""
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
    """Lock somebody, their family and those they replace, in one order for everybody; at a transaction's start."""
    locked: set[bytes] = set()
    while not is_sqlite() and not (wanted := _to_lock(session, ref)) <= locked:
        if locked:
            # Somebody joined the family while we waited: let go of all, and begin again with them.
            session.rollback()
        lock(session, *wanted)
        locked = wanted


def _to_lock(session: Session, ref: str) -> set[bytes]:
    # No row is read as a whole: the session would keep what it read before the lock.
    return set(_family(session, ref, *replaced_by(session, ref)).values())
