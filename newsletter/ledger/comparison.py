"""Compares the ledger with its checkpoints: was it truncated, or rewritten with all of its seals?

verifying.py has verified the ledger itself before. The file is read backwards in batches of lines, so that memory does
not grow with it. Lines that a restored backup did not know are skipped: a later line names them.
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

BATCH = 500


def first_fault(folder: Path) -> str | None:
    """What is wrong, in one sentence; None: nothing. Raise OSError where the folder cannot be read."""
    try:
        lines = checkpoints.backwards(folder)
        last = next(lines, None)
        if last is None:
            return "There is no checkpoint to compare the ledger with."
        if last.key is None or not keyring.is_ours(last.key):
            return f"{NAME}: The last line is signed by a key that is not ours."
        return _mismatch(chain([last], lines))
    except WrongDocument as wrong:
        return f"{NAME}: {wrong}"


def compared(lines: Iterator[Checkpoint]) -> Iterator[tuple[Checkpoint, bool]]:
    """Each checkpoint with whether the ledger has its seal at its position."""
    while some := list(islice(lines, BATCH)):
        query = select(Seal.position, Seal.seal)
        with reading() as session:
            found = session.execute(query.where(Seal.position.in_([one.position for one in some])))
            seals = {position: seal.hex() for position, seal in found}
        for one in some:
            yield one, seals.get(one.position) == one.seal


def _mismatch(lines: Iterator[Checkpoint]) -> str | None:
    """The oldest checkpoint whose seal differs in the ledger, else the newest one beyond the ledger's end."""
    rewritten = cut_off = None
    with reading() as session:
        end = sealing.head(session).position
    for one, fits in compared(_without_lost(lines)):
        if not fits and one.position > end:
            cut_off = cut_off or one
        elif not fits:
            rewritten = one
    if rewritten is not None:
        return (
            f"Position {rewritten.position}, row {rewritten.row_id}: The seal differs from the one in the"
            f" checkpoint of {rfc3339(rewritten.at)}: this row, or one before it, was rewritten."
        )
    if cut_off is not None:
        return (
            f"Position {end} is the last, but the checkpoint of {rfc3339(cut_off.at)} names position"
            f" {cut_off.position}: the tail was cut off, or an earlier backup was restored."
        )
    return None


def _without_lost(lines: Iterator[Checkpoint]) -> Iterator[Checkpoint]:
    """Skip the lines between a `restored` line and the last one that the restored backup knew."""
    is_lost, known = False, None
    for one in lines:
        if is_lost and one.digest != known:
            continue
        yield one
        is_lost, known = one.is_restored, one.restored_after
