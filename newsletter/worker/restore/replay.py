"""After a restored backup: finds in the checkpoints what was lost, and repeats the erasures.

Each step can be repeated, so that the command can be run again after a crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import NotRestored, WrongDocument
from newsletter.domain.lifecycle import Erase
from newsletter.ledger import checkpoints, comparison, sealing
from newsletter.ledger.checkpoints import NAME, Checkpoint
from newsletter.ledger.sealing import Head
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring
from newsletter.storage.models import Erasure, Subscription
from newsletter.subscriptions import erasures
from newsletter.subscriptions.erase import erase
from newsletter.subscriptions.person import lock_person_by_ref
from newsletter.subscriptions.transition import act

BATCH = 500


@dataclass
class Plan:
    """What the restored database has of the ledger, and what it lost."""

    folder: Path
    kept: Head
    last: Checkpoint
    known: Checkpoint | None = None  #: the newest that the database knows
    first_lost: Checkpoint | None = None
    #: References of people to erase again, each with whether a block is kept.
    erased: dict[str, bool] = field(default_factory=dict)


def plan(folder: Path, *, trusted_key: str | None = None) -> Plan | None:
    """What is to be done; None: nothing. Raise NotRestored where the checkpoints cannot be used.

    `trusted_key`: the fingerprint of one more trusted key.
    """
    try:
        lines = checkpoints.backwards(folder)
        last = next(lines, None)
        if last is None:
            raise NotRestored(
                "LEDGER_CHECKPOINTS holds no checkpoint, so that nothing tells what was lost:"
                " mount the folder that workers write to."
            )
        is_ours = last.key is not None and keyring.is_ours(last.key)
        if not is_ours and last.key != trusted_key:
            raise NotRestored(
                f"{NAME}: The last line is signed by a key that this database does not have."
                f" If that key is yours, name it: --key {last.key}"
            )
        with reading() as session:
            plan = Plan(folder, sealing.head(session), last)
        _compare(plan, chain([last], lines))
    except WrongDocument as wrong:
        raise NotRestored(f"{NAME}: {wrong}") from None
    except OSError as error:
        raise NotRestored(f"LEDGER_CHECKPOINTS: cannot be read ({error.strerror}).") from None
    return None if plan.first_lost is None and is_ours else plan


def _compare(plan: Plan, lines: Iterator[Checkpoint]) -> None:
    for one, is_known in comparison.compared(lines):
        if is_known:
            plan.known = one
            break
        plan.first_lost = one
        for ref, is_kept in one.erased:
            plan.erased[ref] = plan.erased.get(ref, False) or is_kept
    if plan.first_lost is not None:
        _refuse_rewritten(plan.first_lost, plan.kept)


def _refuse_rewritten(first: Checkpoint, kept: Head) -> None:
    """Raise NotRestored if a lost position was sealed before its checkpoint was signed: then it is no backup."""
    # A lost `restored` line proves nothing: this backup may be older than it, and newer than the one restored then.
    if first.position > kept.position or first.is_restored:
        return
    with reading() as session:
        there = sealing.seal_at(session, first.position)
    if there is None or there.sealed_at is None or there.sealed_at <= first.at:
        raise NotRestored(
            f"Position {first.position} was sealed otherwise before {rfc3339(first.at)}, when it was"
            " signed: the ledger was rewritten, and is no backup of it."
        )


def replay(plan: Plan, *, actor: str) -> int:
    """Repeat the erasures that were lost; how many."""
    refs, count = list(plan.erased), 0
    for first in range(0, len(refs), BATCH):
        some = refs[first : first + BATCH]
        with reading() as session:
            known = session.scalars(select(Subscription.ref).where(Subscription.ref.in_(some)))
            there = set(known)
            is_short = (Erasure.ref.in_(some), Erasure.digest.is_not(None), ~Erasure.keep_block)
            begun = set(session.scalars(select(Erasure.ref).where(*is_short)))
        for ref in some:
            if ref in there:
                count += _erase(ref, keep_block=plan.erased[ref], actor=actor)
            elif ref in begun and plan.erased[ref]:
                _block_too(ref, actor=actor)
    return count


def _erase(ref: str, *, keep_block: bool, actor: str) -> bool:
    with writing() as session:
        person = lock_person_by_ref(session, ref)
        if person is None:
            return False
        act(person, Erase(keep_block), actor=actor)
        return True


def _block_too(ref: str, *, actor: str) -> None:
    """Keep a block that was requested after the backup, for an erasure that was open in it."""
    with reading() as session:
        erasure = session.scalar(select(Erasure).where(Erasure.ref == ref))
        address: Address | None = None
        if erasure is not None and erasure.address is not None:
            address = erasures.address_of(erasure)
    if address is not None:
        erase(address, actor=actor, keep_block=True)
