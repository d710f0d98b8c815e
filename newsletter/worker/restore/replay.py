"""After a restored backup: what was lost is read from the checkpoints, and the erasures among it happen again.

Each step may be taken once more, so that a process that dies in the middle is simply followed by another. In the end,
resuming.py signs what was kept and what was lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import NotRestored, WrongDocument
from newsletter.domain.lifecycle import Erase
from newsletter.ledger import checkpoints, comparison, restored, sealing
from newsletter.ledger import head as signed_head
from newsletter.ledger.checkpoints import Checkpoint
from newsletter.ledger.head import SignedHead
from newsletter.ledger.sealing import Head
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring
from newsletter.storage.models import Erasure, Subscription
from newsletter.subscriptions import erasures
from newsletter.subscriptions.erase import erase
from newsletter.subscriptions.person import meet_by_ref
from newsletter.subscriptions.transition import act

AT_ONCE = 500
PATIENCE_SECONDS = (
    60.0  #: how long a transaction that began before may keep the ledger from being sealed
)
PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Plan:
    """What the database kept of the ledger, and what it lost."""

    folder: Path
    kept: Head
    common: Checkpoint | None  #: the newest checkpoint that fits the database
    newest: Checkpoint
    lost: tuple[Checkpoint, ...]
    #: Signed after the newest checkpoint; the database knows nothing of it, either.
    lost_head: SignedHead | None
    erased: dict[
        str, bool
    ]  #: who is to be forgotten again, by reference, and whether a block is kept


def plan(folder: Path, *, also: str | None = None) -> Plan | None:
    """What is to be done; None: nothing. Raise NotRestored where the checkpoints do not tell.

    `also`: the fingerprint of one more key whose checkpoints count, for whoever knows it to be their own.
    """
    head = _read_head(folder)
    whole = _read(folder, also)
    seals_there = comparison.seals_at(one.position for one in whole)
    with reading() as session:
        kept = sealing.head(session)
    fitting = [one for one in whole if seals_there.get(one.position) == one.seal]
    missing = [one for one in whole if seals_there.get(one.position) != one.seal]
    known = comparison.lost_digests(fitting)
    lost = tuple(one for one in missing if one.digest not in known)
    held = restored.held()
    if held is not None and held not in {one.digest for one in whole}:
        raise NotRestored(
            "The checkpoint for which the workers stand still is not in this folder:"
            " run it where LEDGER_CHECKPOINTS is theirs."
        )
    if not whole:
        raise NotRestored(
            "LEDGER_CHECKPOINTS holds no checkpoint, so that nothing tells what was lost:"
            " mount the folder that workers write to."
        )
    lost_head = None if head is None else _lost(head, whole, also)
    if not lost and lost_head is None and keyring.is_ours(whole[-1].key):
        return None
    if lost:
        _refuse_rewritten(lost[0], kept)
    if lost_head is not None:
        _refuse_rewritten(lost_head, kept)
    erased: dict[str, bool] = {}
    for one in missing:
        for ref, is_kept in one.erased:
            erased[ref] = erased.get(ref, False) or is_kept
    return Plan(folder, kept, fitting[-1] if fitting else None, whole[-1], lost, lost_head, erased)


def _read(folder: Path, also: str | None) -> list[Checkpoint]:
    whole: list[Checkpoint] = []
    try:
        for one in checkpoints.all_in(folder):
            if not isinstance(one, Checkpoint):
                name, wrong = one
                raise NotRestored(f"{name}: {wrong}")
            whole.append(one)
    except OSError as error:
        raise NotRestored(f"LEDGER_CHECKPOINTS: cannot be read ({error.strerror}).") from None
    counting = comparison.trusted(whole, also)
    ours = {one.digest for one in counting}
    foreign = next((one for one in whole if one.digest not in ours), None)
    if foreign is not None:
        raise _not_ours(foreign.name, foreign.key)
    return counting


def _read_head(folder: Path) -> SignedHead | None:
    """Read before the checkpoints, of which one may supersede it."""
    try:
        return signed_head.read(folder)
    except WrongDocument as wrong:
        raise NotRestored(f"{signed_head.NAME}: {wrong}") from None
    except OSError as error:
        raise NotRestored(f"LEDGER_CHECKPOINTS: cannot be read ({error.strerror}).") from None


def _lost(head: SignedHead, whole: list[Checkpoint], also: str | None) -> SignedHead | None:
    """The head, if it is of what this database lost."""
    if comparison.is_superseded(head, whole):
        return None
    if not keyring.is_ours(head.key) and head.key != also:
        raise _not_ours(signed_head.NAME, head.key)
    with reading() as session:
        return None if signed_head.fits(session, head) else head


def _not_ours(name: str, key: str) -> NotRestored:
    return NotRestored(
        f"{name}: It is signed by a key that this database does not have. If that key is yours,"
        f" name it: --key {key}"
    )


def _refuse_rewritten(first: Checkpoint | SignedHead, kept: Head) -> None:
    """After a backup, what stands in a lost place was sealed later; an earlier time tells of something else."""
    if first.position > kept.position:
        return
    with reading() as session:
        there = sealing.seal_at(session, first.position)
    if there is None or there.sealed_at is None or there.sealed_at <= first.at:
        raise NotRestored(
            f"Position {first.position} was sealed otherwise before {rfc3339(first.at)}, when it was"
            " signed: the ledger was rewritten, and is no backup of it."
        )


def replay(plan: Plan, *, actor: str) -> int:
    """Forget again whom the lost part of the ledger had forgotten; how many that were."""
    refs, count = list(plan.erased), 0
    for first in range(0, len(refs), AT_ONCE):
        some = refs[first : first + AT_ONCE]
        with reading() as session:
            known = session.scalars(select(Subscription.ref).where(Subscription.ref.in_(some)))
            there = set(known)
            is_short = (Erasure.ref.in_(some), Erasure.digest.is_not(None), ~Erasure.keep_block)
            begun = set(session.scalars(select(Erasure.ref).where(*is_short)))
        for ref in some:
            if ref in there:
                count += _forget(ref, keep_block=plan.erased[ref], actor=actor)
            elif ref in begun and plan.erased[ref]:
                _block_too(ref, actor=actor)
    return count


def _forget(ref: str, *, keep_block: bool, actor: str) -> bool:
    with writing() as session:
        person = meet_by_ref(session, ref)
        if person is None:
            return False
        act(person, Erase(keep_block), actor=actor)
        return True


def _block_too(ref: str, *, actor: str) -> None:
    """The erasure was begun before the backup, and only later it was asked to keep a block."""
    with reading() as session:
        erasure = session.scalar(select(Erasure).where(Erasure.ref == ref))
        address: Address | None = None
        if erasure is not None and erasure.address is not None:
            address = erasures.address_of(erasure)
    if address is not None:
        erase(address, actor=actor, keep_block=True)
