"""A restored backup is recognised: the last checkpoint names a seal that this database does not have.

People who were erased since the backup stand in it again, and letters wait in it that were sent. So whatever sends or
changes anything refuses to start until `newsletter retention --after-restore` has erased those people again. The same
where no checkpoint is seen although the database knows that there are some: then nothing tells whether a backup was
restored.
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


class Case(Enum):
    """Why the file of checkpoints does not fit the database, and what to do."""

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
    """The last checkpoint, which fits the database; None: there never was one. Raise RestoredDatabase.

    Staff learn of it from /ready, too.
    """
    last, case = _look()
    if case is not None:
        notices.post(Code.CHECKPOINTS_UNFIT, detail=case.value)
        raise RestoredDatabase(f"LEDGER_CHECKPOINTS: {case.value}")
    notices.clear(Code.CHECKPOINTS_UNFIT)
    if last is not None:
        record.know()
    return last


def found() -> Case | None:
    """Why a process would refuse to start now, where this one runs; None: it would start."""
    return _look()[1]


def _look() -> tuple[Checkpoint | None, Case | None]:
    folder, last = config.current().ledger_checkpoints, None
    try:
        last = None if folder is None else checkpoints.last(folder)
    except WrongDocument:
        return None, Case.DAMAGED
    except OSError:
        pass  # where none is known, appending tells
    if last is None:
        return None, Case.MISSING if record.are_known() else None
    if last.key is None or not keyring.is_ours(last.key):
        return last, Case.FOREIGN
    # The file was read before the database is: a line that is appended meanwhile is no false alarm.
    with reading() as session:
        there = sealing.seal_at(session, last.position)
    is_known = there is not None and there.seal.hex() == last.seal
    return last, None if is_known else Case.BEHIND
