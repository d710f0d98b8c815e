"""A worker that starts while the folder of checkpoints is away cannot tell whether a backup was restored.

So it stands still, that worker alone, until it has seen the folder once; and only where checkpoints were ever written,
so that a new installation begins. A lease in Job lets staff know, and ends by itself where the worker does.
"""

from __future__ import annotations

from newsletter import checkpointing, config, jobs
from newsletter.newest import Newest

JOB = "unseen"
_TOLD = (
    "LEDGER_CHECKPOINTS cannot be read by a worker that has just started: it sends and erases nothing"
    " until it can, since a backup may have been restored"
)


def is_unseen(newest: Newest) -> bool:
    """Tell whether there are checkpoints, and nobody knows what the newest says."""
    is_asked_for = config.current().ledger_checkpoints is not None
    return is_asked_for and not newest.is_known and checkpointing.were_written()


def tell(owner: str) -> None:
    """Let staff know that a worker stands still, for as long as it does."""
    jobs.take(JOB, owner)


def take_back(owner: str) -> None:
    """The worker has seen the folder."""
    jobs.give_back(JOB, owner)


def complaint() -> str | None:
    """That a worker stands still for it, for staff; None: none does."""
    return _TOLD if jobs.is_taken(JOB) else None
