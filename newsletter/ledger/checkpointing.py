"""When a checkpoint is due, and what it says: at once when somebody was erased, else an hour after the last one.

What is sealed in between, head_keeping.py signs: it needs the newest checkpoint, and fails where that does.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import NoCheckpoint, WrongDocument
from newsletter.domain.lifecycle import Event
from newsletter.ledger import checkpoints, sealing
from newsletter.ledger.checkpoints import KIND, Checkpoint
from newsletter.ledger.head_keeping import HeadKeeping
from newsletter.ledger.newest import Newest
from newsletter.ledger.sealing import ROW, Head
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.keys.signing import Document
from newsletter.storage.models import Erasure, Job

EVERY = timedelta(hours=1)
RETRY = timedelta(seconds=30)
#: Whose lease the one worker holds that seals. `ran_at`: when the newest checkpoint that was seen was written;
#: `result`: why none, or no head, could be written.
JOB = "sealing"
_URGENT = (Event.ERASED, Event.RESTORED)

log = logging.getLogger(__name__)


class Checkpointing:
    """Writes a checkpoint when one is due; it remembers the newest, and up to where nothing urgent was sealed."""

    def __init__(self) -> None:
        self._newest = Newest()
        self._head = HeadKeeping()
        self._looked_to: int | None = None
        self._try_at: datetime | None = None
        self._told: str | None = ""  # not known yet: what an earlier worker told is in the database

    def step(self) -> bool:
        """Write one if it is due, and see that the newest head is signed.

        A folder that cannot be written to stops nothing, and is tried again.
        """
        folder = config.current().ledger_checkpoints
        if folder is None or (self._try_at is not None and clock.now() < self._try_at):
            return False
        try:
            is_written = self._write_due(folder)
        except OSError as error:
            return self._fail(error.strerror or type(error).__name__)
        except (WrongDocument, NoCheckpoint) as wrong:
            # Where something else stands there by its name, the next head has another.
            return self._fail(str(wrong))
        newest = self._newest.checkpoint
        # The very first checkpoint is seen with the next step.
        self._tell(None if newest is None else self._head.step(folder, newest.restorations))
        return is_written

    def _fail(self, why: str) -> bool:
        self._try_at = clock.now() + RETRY
        self._tell(f"checkpoints cannot be written: {why}")
        return False

    def _write_due(self, folder: Path) -> bool:
        with reading() as session:
            head = sealing.head(session)
        if head.position == 0:
            return False
        self._look(folder)
        if self._newest.is_empty and were_written():
            # Nothing is begun in a place where the folder is not mounted.
            raise NoCheckpoint
        newest = self._newest.checkpoint
        if newest is not None and newest.position >= head.position:
            return False
        if not self._is_due(head, newest):
            return False
        with reading() as session:
            document = content(session, head, newest)
        checkpoints.write(folder, document)
        log.info("checkpoint at position %d written", head.position)
        self._try_at = None
        return True

    def _look(self, folder: Path) -> None:
        """Read the newest again where the folder has changed: another worker may have written it, or a command."""
        if self._newest.look(folder):
            self._looked_to = None
            _leave_word(self._newest.checkpoint)

    def _is_due(self, head: Head, newest: Checkpoint | None) -> bool:
        if newest is None or clock.now() - newest.at >= EVERY:
            return True
        after = max(newest.row_id, self._looked_to or newest.row_id)
        urgent = select(ROW.id).where(ROW.id > after, ROW.id <= head.row_id)
        with reading() as session:
            is_urgent = session.scalar(urgent.where(ROW.event.in_(_URGENT)).limit(1)) is not None
        if not is_urgent:
            self._looked_to = head.row_id
        return is_urgent

    def _tell(self, trouble: str | None) -> None:
        """Let the log and staff know, once."""
        if trouble == self._told:
            return
        with writing() as session:
            job = jobs.row(session, JOB)
            before, job.result = job.result, None if trouble is None else json.dumps(trouble)
        if trouble is not None:
            log.warning("%s", trouble)
        elif before is not None:
            log.warning("checkpoints and the signed head can be written again")
        self._told = trouble


def _leave_word(newest: Checkpoint | None) -> None:
    """Let whoever starts while the folder is away know that there are checkpoints."""
    if newest is None:
        return
    with reading() as session:
        known = session.scalar(select(Job.ran_at).where(Job.name == JOB))
    if known != newest.at:
        with writing() as session:
            jobs.row(session, JOB).ran_at = newest.at


def were_written() -> bool:
    """Tell whether there were ever checkpoints, as far as this database knows."""
    with reading() as session:
        return session.scalar(select(Job.ran_at).where(Job.name == JOB)) is not None


def content(
    session: Session,
    head: Head,
    before: Checkpoint | None,
    *,
    since: Checkpoint | None = None,
    restored: Document | None = None,
) -> Document:
    """What a checkpoint says of a head, not yet signed; `since`: which one to name the erased from, if not `before`.

    `restored`: what a restored database kept of the ledger, and what it lost.
    """
    assert head.row_id is not None and head.sealed_at is not None  # noqa: S101, PT018 - tells mypy
    restorations = before.restorations if before else 0
    return {
        "kind": KIND,
        "restorations": restorations if restored is None else restorations + 1,
        "position": head.position,
        "rows": head.position,  # there is no gap between seals
        "row_id": head.row_id,
        "seal": head.seal.hex(),
        "sealed_at": rfc3339(head.sealed_at),
        "at": rfc3339(clock.now()),
        "before": before.digest if before else None,
        "erased": list(_erased(session, head.row_id, before if restored is None else since)),
        "restored": restored,
    }


def _erased(session: Session, up_to: int, before: Checkpoint | None) -> Iterable[Document]:
    """Who was erased since the checkpoint before, by reference, and of whom a block is kept."""
    erased = select(ROW.ref).where(ROW.event == Event.ERASED, ROW.id <= up_to)
    kept = select(Erasure.ref).where(Erasure.keep_block.is_(True))
    if before is not None:
        erased = erased.where(ROW.id > before.row_id)
        # A block may be asked for later, for as long as the erasure is open.
        done_at = Erasure.mailchimp_done_at
        is_late = or_(done_at.is_(None), done_at >= before.at)
        kept = kept.where(or_(is_late, Erasure.ref.in_(erased)))
    blocked = set(session.scalars(kept))
    for ref in dict.fromkeys([*session.scalars(erased.order_by(ROW.id)), *sorted(blocked)]):
        yield {"reference": ref, "keep_block": ref in blocked}


def complaint() -> str | None:
    """Why no checkpoint, or no head, can be written; None where that is not so."""
    with reading() as session:
        told = session.scalar(select(Job.result).where(Job.name == JOB))
    return str(json.loads(told)) if told else None
