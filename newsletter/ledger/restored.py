"""Recognises a restored backup: the last checkpoint names a seal that this database does not have.

A backup still contains people who were erased since, and letters that were sent since. So every process that sends or
changes anything refuses to start until `newsletter retention --after-restore` has erased those people again. It also
refuses where the file is missing although the database has checkpoints: then a backup could not be recognised.
"""

from __future__ import annotations

from enum import Enum

from newsletter import config
from newsletter.domain.errors import RestoredDatabase, WrongDocument
from newsletter.ledger import checkpoints, sealing
from newsletter.ledger.checkpoints import Checkpoint
from newsletter.storage import notices
from newsletter.storage.database import reading
from newsletter.storage.keys import keyring
from newsletter.storage.notices import Code
from newsletter.storage.runs import checkpoints as record


class Mismatch(Enum):
    """Why the checkpoints do not fit the database, and what to do."""

    BEHIND = (
        "the database is older than the last checkpoint, as after a backup was restored:"
        " run `newsletter retention --after-restore`"
    )
    FOREIGN = (
        "the last checkpoint is signed by a key that this database does not have:"
        " see docs/ledger.md, and run `newsletter retention --after-restore` if a backup was restored"
    )
    DAMAGED = f"{checkpoints.NAME} was changed, or is damaged: see docs/ledger.md"
    MISSING = (
        "the folder cannot be read, or holds no checkpoint though this database has some:"
        " mount it, or run `newsletter ledger new-folder` if they are lost for good"
    )


def check() -> Checkpoint | None:
    """The last checkpoint, which fits the database; None: there never was one.

    Raise RestoredDatabase, and post a notice, where it does not fit.
    """
    last, mismatch = _compare()
    if mismatch is not None:
        notices.post(Code.CHECKPOINTS_UNFIT, detail=mismatch.value)
        raise RestoredDatabase(f"LEDGER_CHECKPOINTS: {mismatch.value}")
    notices.clear(Code.CHECKPOINTS_UNFIT)
    if last is not None:
        record.expect()
    return last


def mismatch() -> Mismatch | None:
    """Why a worker on this host would refuse to start now; None: it would start."""
    return _compare()[1]


def _compare() -> tuple[Checkpoint | None, Mismatch | None]:
    folder, last = config.current().ledger_checkpoints, None
    try:
        last = None if folder is None else checkpoints.last(folder)
    except WrongDocument:
        return None, Mismatch.DAMAGED
    except OSError:
        pass  # where no checkpoint is expected, the attempt to append reports the folder
    if last is None:
        return None, Mismatch.MISSING if record.are_expected() else None
    if last.key is None or not keyring.is_ours(last.key):
        return last, Mismatch.FOREIGN
    # The file is read before the database: a line that is appended meanwhile raises no false alarm.
    with reading() as session:
        found = sealing.seal_at(session, last.position)
    is_known = found is not None and found.seal.hex() == last.seal
    return last, None if is_known else Mismatch.BEHIND
