"""Checking the ledger beside its checkpoints: whether its tail was cut off, or all of it rewritten with its seals.

A checkpoint counts if it is signed by the keyring's key, or is named by a later one that counts: so whatever an earlier
key has signed stays good. One that a restored database lost counts as lost, as long as a signed one says so. What was
sealed since the newest one, the signed head vouches for, where it is there: a copy of the checkpoints alone is whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import select

from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import WrongDocument
from newsletter.ledger import checkpointing, checkpoints, sealing
from newsletter.ledger import head as signed_head
from newsletter.ledger.checkpoints import Checkpoint
from newsletter.ledger.head import SignedHead
from newsletter.storage.database import reading
from newsletter.storage.keys import keyring
from newsletter.storage.models import Seal

AT_ONCE = 500


def complaint(folder: Path) -> str | None:
    """The first thing that is wrong, in one sentence; None: nothing. Raise OSError where the folder is away.

    The ledger itself has been verified before.
    """
    # Before the database is looked at: what is written meanwhile is then no false alarm. The head before the
    # checkpoints, of which one may supersede it.
    head = _read_head(folder)
    found = list(checkpoints.all_in(folder))
    return next(_complaints(found, head), None)


def _read_head(folder: Path) -> SignedHead | WrongDocument | None:
    try:
        return signed_head.read(folder)
    except WrongDocument as wrong:
        return wrong


def _complaints(
    found: list[Checkpoint | tuple[str, WrongDocument]], head: SignedHead | WrongDocument | None
) -> Iterator[str]:
    whole = [one for one in found if isinstance(one, Checkpoint)]
    for one in found:
        if not isinstance(one, Checkpoint):
            yield f"{one[0]}: {one[1]}"
    counting = {one.digest for one in trusted(whole)}
    for one in whole:
        if one.digest not in counting:
            yield f"{one.name}: It is signed by a key that is not ours."
    yield from _chain(whole)
    yield from _beside_database(whole)
    if isinstance(head, WrongDocument):
        yield f"{signed_head.NAME}: {head}"
    elif head is not None and not is_superseded(head, whole):
        yield from _beside_head(head)


def is_superseded(head: SignedHead, whole: list[Checkpoint]) -> bool:
    """Tell whether a backup was restored since it was signed, as the newest checkpoint says."""
    return bool(whole) and head.restorations < whole[-1].restorations


def _beside_head(signed: SignedHead) -> Iterator[str]:
    if not keyring.is_ours(signed.key):
        yield f"{signed_head.NAME}: It is signed by a key that is not ours."
    with reading() as session:
        last = sealing.head(session).position
        fits = signed_head.fits(session, signed)
    if not fits:
        yield _unfit(signed, f"as the head of {rfc3339(signed.at)} says", last)


def trusted(whole: list[Checkpoint], also: str | None = None) -> list[Checkpoint]:
    """Those that count, oldest first; `also`: the fingerprint of one more key whose checkpoints count."""
    counting, vouched_for = [], set[str]()
    for one in reversed(whole):
        if keyring.is_ours(one.key) or one.key == also or one.digest in vouched_for:
            counting.append(one)
            vouched_for |= {one.before or "", *(lost.digest for lost in one.lost)}
    return counting[::-1]


def lost_digests(whole: Iterable[Checkpoint]) -> frozenset[str]:
    """Which checkpoints a restored database knows nothing of, as later ones say."""
    return frozenset(lost.digest for one in whole for lost in one.lost)


def _chain(whole: list[Checkpoint]) -> Iterator[str]:
    """Whether one was taken out of the middle; the oldest may have ended."""
    there = {one.digest for one in whole}
    for one in whole[1:]:
        if one.before not in there:
            yield f"{one.name}: The checkpoint before it is missing."


def _beside_database(whole: list[Checkpoint]) -> Iterator[str]:
    with reading() as session:
        head = sealing.head(session)
    if not whole and (head.position or checkpointing.were_written()):
        yield "There is no checkpoint to compare the ledger with."
    there = seals_at({one.position for one in whole} | {one.kept[0] for one in whole if one.kept})
    lost = lost_digests(whole)
    for one in whole:
        # A backup from before the first seal kept nothing that could be changed.
        if one.kept is not None and one.kept[0] and there.get(one.kept[0]) != one.kept[1]:
            yield f"{one.name}: The ledger that was kept then, up to position {one.kept[0]}, was changed."
        if one.digest in lost or there.get(one.position) == one.seal:
            continue
        yield _unfit(one, f"as the checkpoint of {rfc3339(one.at)} says", head.position)


def _unfit(signed: Checkpoint | SignedHead, told: str, last: int) -> str:
    """What it means that the ledger, up to the last position, does not have the seal that was signed."""
    if signed.position > last:
        return (
            f"Position {last} is the last, though there were {signed.position}, {told}:"
            " the tail was cut off, or an earlier backup was restored."
        )
    return (
        f"Position {signed.position}, row {signed.row_id}: The seal is not what it was, {told}:"
        " this row, or one before it, was rewritten."
    )


def seals_at(positions: Iterable[int]) -> dict[int, str]:
    """The seals at these positions, as far as there are any."""
    there: dict[int, str] = {}
    with reading() as session:
        wanted = sorted(positions)
        for first in range(0, len(wanted), AT_ONCE):
            some = Seal.position.in_(wanted[first : first + AT_ONCE])
            query = select(Seal.position, Seal.seal).where(some)
            there |= {position: seal.hex() for position, seal in session.execute(query)}
    return there
