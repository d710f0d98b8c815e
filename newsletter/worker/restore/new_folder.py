"""`newsletter ledger new-folder`: begins new checkpoints where the earlier ones are lost, or not of this database."""

from __future__ import annotations

from pathlib import Path

from newsletter.domain.errors import NotBegun, WrongDocument
from newsletter.ledger import checkpointing, checkpoints, restored, sealing
from newsletter.storage.database import reading
from newsletter.storage.runs import checkpoints as record
from newsletter.storage.runs import reconciliation


def begin(folder: Path) -> None:
    """Begin a new file that names everybody ever erased, so that workers start again. Raise NotBegun, and OSError.

    The database may be a restored backup, so nobody is added at Mailchimp before a full reconciliation.
    """
    if _holds_any(folder):
        raise NotBegun(f"LEDGER_CHECKPOINTS holds {checkpoints.NAME}: it is no new folder.")
    reconciliation.require_full()
    with reading() as session:
        head = sealing.head(session)
        document = checkpointing.unsigned(session, head, since=None) if head.position else None
    if document is not None:
        checkpoints.append(folder, document, after=None)
        restored.check()


def give_up() -> None:
    """Let workers start without checkpoints from now on."""
    record.expect_none()


def _holds_any(folder: Path) -> bool:
    try:
        return checkpoints.last(folder) is not None
    except WrongDocument:
        return True
