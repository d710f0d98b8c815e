"""Checking the ledger beside its checkpoints: whether its tail was cut off, or all of it rewritten with its seals.

A checkpoint counts if it is signed by the keyring's key, or is named by a later one that counts: so whatever an earlier
key has signed stays good. One that a restored database lost counts as lost, as long as a signed one says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import select

from newsletter import checkpointing, checkpoints, keyring, sealing
from newsletter.checkpoints import Checkpoint
from newsletter.database import reading
from newsletter.errors import WrongDocument
from newsletter.formatting import rfc3339
from newsletter.models import Seal

AT_ONCE = 500


def complaint(folder: Path) -> str | None:
    """The first thing that is wrong, in one sentence; None: nothing. Raise OSError where the folder is away.

    The ledger itself has been verified before.
    """
    # Before the database is looked at: what is written meanwhile is then no false alarm.
    found = list(checkpoints.all_in(folder))
    return next(_complaints(found), None)


def _complaints(found: list[Checkpoint | tuple[str, WrongDocument]]) -> Iterator[str]:
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
        told = f"as the checkpoint of {rfc3339(one.at)} says"
        if one.position > head.position:
            yield (
                f"Position {head.position} is the last, though there were {one.position}, {told}:"
                " the tail was cut off, or an earlier backup was restored."
            )
        else:
            yield (
                f"Position {one.position}, row {one.row_id}: The seal is not what it was, {told}:"
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
