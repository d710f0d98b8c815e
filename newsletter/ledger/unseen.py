"""A worker that starts and sees no checkpoint, though some were written, cannot tell whether a backup was restored.

The folder is away, or an empty one stands in its place, as where a volume is not mounted. So the worker stands still,
that worker alone, until it has seen one; and only where checkpoints were ever written, so that a new installation
begins. Where they are lost for good, staff say so (new_folder.py). A lease in Job lets staff know, and ends by itself
where the worker does.
"""

from __future__ import annotations

from newsletter import config
from newsletter.ledger import checkpointing
from newsletter.ledger.newest import Newest
from newsletter.storage import jobs

JOB = "unseen"
WRONG = (
    "LEDGER_CHECKPOINTS cannot be read, or holds no checkpoint though some were written,"
    " and a backup may have been restored"
)
REMEDY = "mount the folder, or run `newsletter ledger new-folder` if they are lost for good"
_TOLD = f"{WRONG}: a worker that has just started sends and erases nothing; {REMEDY}"


def is_unseen(newest: Newest) -> bool:
    """Tell whether checkpoints were written, and nobody knows what the newest says."""
    is_asked_for = config.current().ledger_checkpoints is not None
    return is_asked_for and newest.checkpoint is None and checkpointing.were_written()


def tell(owner: str) -> None:
    """Let staff know that a worker stands still, for as long as it does."""
    jobs.take(JOB, owner)


def take_back(owner: str) -> None:
    """The worker has seen a checkpoint."""
    jobs.give_back(JOB, owner)


def complaint() -> str | None:
    """That a worker stands still for it, for staff; None: none does."""
    return _TOLD if jobs.is_taken(JOB) else None
