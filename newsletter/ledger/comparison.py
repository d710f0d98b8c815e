"""Checking the ledger beside its checkpoints: whether its tail was cut off, or all of it rewritten with its seals.

The ledger itself has been verified before. The file is read from its end, a batch of lines at a time, so that memory
does not grow with it. What a restored backup had lost is passed over, since a later line says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from sqlalchemy import select

from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import WrongDocument
from newsletter.ledger import checkpoints, sealing
from newsletter.ledger.checkpoints import NAME, Checkpoint
from newsletter.storage.database import reading
from newsletter.storage.keys import keyring
from newsletter.storage.models import Seal

AT_ONCE = 500


def complaint(folder: Path) -> str | None:
    """The first thing that is wrong, in one sentence; None: nothing. Raise OSError where the folder is away."""
    try:
        lines = checkpoints.backwards(folder)
        last = next(lines, None)
        if last is None:
            return "There is no checkpoint to compare the ledger with."
        if last.key is None or not keyring.is_ours(last.key):
            return f"{NAME}: The last line is signed by a key that is not ours."
        return _unfit(chain([last], lines))
    except WrongDocument as wrong:
        return f"{NAME}: {wrong}"


def beside_database(lines: Iterator[Checkpoint]) -> Iterator[tuple[Checkpoint, bool]]:
    """Checkpoints, each with whether the ledger has the seal that it names."""
    while some := list(islice(lines, AT_ONCE)):
        query = select(Seal.position, Seal.seal)
        with reading() as session:
            found = session.execute(query.where(Seal.position.in_([one.position for one in some])))
            seals = {position: seal.hex() for position, seal in found}
        for one in some:
            yield one, seals.get(one.position) == one.seal


def _unfit(lines: Iterator[Checkpoint]) -> str | None:
    """The oldest checkpoint whose seal is another in the ledger, or else the newest whose seal is missing."""
    rewritten = cut_off = None
    with reading() as session:
        end = sealing.head(session).position
    for one, fits in beside_database(_not_lost(lines)):
        if not fits and one.position > end:
            cut_off = cut_off or one
        elif not fits:
            rewritten = one
    if rewritten is not None:
        return (
            f"Position {rewritten.position}, row {rewritten.row_id}: The seal is not what it was, as the"
            f" checkpoint of {rfc3339(rewritten.at)} says: this row, or one before it, was rewritten."
        )
    if cut_off is not None:
        return (
            f"Position {end} is the last, though there were {cut_off.position}, as the checkpoint of"
            f" {rfc3339(cut_off.at)} says: the tail was cut off, or an earlier backup was restored."
        )
    return None


def _not_lost(lines: Iterator[Checkpoint]) -> Iterator[Checkpoint]:
    """Without those that a restored backup did not know, as the line says that was written then."""
    is_lost, known = False, None
    for one in lines:
        if is_lost and one.digest != known:
            continue
        yield one
        is_lost, known = one.is_restored, one.restored_after
