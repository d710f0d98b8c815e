"""A restored backup is recognised: the newest checkpoint names a seal that this database does not have.

People who were erased since the backup stand in it again, and letters wait in it that were sent. So the workers stand
still, all of them, until `newsletter retention --after-restore` has forgotten those people anew (replaying.py). Who saw
it leaves a row in Job, for the workers that do not see the folder, and for /ready.
"""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.ledger import sealing
from newsletter.ledger.checkpoints import Checkpoint
from newsletter.ledger.newest import Newest
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring
from newsletter.storage.models import Job

JOB = "restored"  #: `hold_reason`: the case; `result`: the digest of the checkpoint that the database does not know


class Case(StrEnum):
    """Why checkpoints do not fit the database."""

    RESTORED = "restored"  #: the newest is of a seal that is not there
    FOREIGN = "foreign"  #: the newest is signed by a key that is not there


_TOLD = {
    Case.RESTORED: "a backup was restored: nothing is sent or erased until"
    " `newsletter retention --after-restore` has run",
    Case.FOREIGN: "LEDGER_CHECKPOINTS holds the checkpoints of another keyring: nothing is sent or erased"
    " (docs/ledger.md)",
}


def case_of(session: Session, newest: Checkpoint) -> Case | None:
    """Why the newest checkpoint does not fit the database; None: it does. It was read before the database is."""
    if not keyring.is_ours(newest.key):
        return Case.FOREIGN
    there = sealing.seal_at(session, newest.position)
    fits = there is not None and there.seal.hex() == newest.seal
    return None if fits else Case.RESTORED


def stand_still(seen: Newest | None = None) -> bool:
    """Tell whether the workers must stand still; leave word for the others, or take it back.

    `seen`: what whoever asks every few seconds has seen of the folder before.
    """
    newest = _newest(seen or Newest())
    with reading() as session:
        case = None if newest is None else case_of(session, newest)
        job = session.get(Job, JOB)
    held = job.result if job is not None and job.held_since is not None else None
    if newest is not None and case is not None:
        if held is None:
            _hold(newest, case)
        return True
    if held is None:
        return False
    if newest is None or not accounts_for(newest, held):
        return True  # another worker sees a folder that this one does not
    release()
    return False


def _newest(seen: Newest) -> Checkpoint | None:
    folder = config.current().ledger_checkpoints
    # Once a checkpoint was seen, a folder that is away or empty stops nobody (checkpointing.py tells of it): what was
    # seen still recognises a backup. Before that, see unseen.py.
    with suppress(OSError):
        if folder is not None:
            seen.look(folder)
    return seen.checkpoint


def accounts_for(newest: Checkpoint, held: str) -> bool:
    """Tell whether a checkpoint that fits the database explains why that one did not."""
    return held in {newest.digest, newest.before, *(lost.digest for lost in newest.lost)}


def _hold(newest: Checkpoint, case: Case) -> None:
    with writing() as session:
        job = jobs.row(session, JOB)
        job.held_since, job.hold_reason, job.result = clock.now(), case.value, newest.digest


def release() -> None:
    """The checkpoints fit again."""
    with writing() as session:
        freed = update(Job).where(Job.name == JOB)
        session.execute(freed.values(held_since=None, hold_reason=None, result=None))


def held() -> str | None:
    """The digest of the checkpoint for which the workers stand still; None: they do not."""
    with reading() as session:
        return session.scalar(select(Job.result).where(Job.name == JOB))


def complaint() -> str | None:
    """Why the workers stand still, for staff; None: they do not."""
    with reading() as session:
        reason = session.scalar(select(Job.hold_reason).where(Job.name == JOB))
    return None if reason is None else _TOLD[Case(reason)]
