"""The end of restoring a backup: the event `restored` is logged, sealed, and signed as a checkpoint.

After that the checkpoints fit the database, and workers start again.
"""

from __future__ import annotations

import secrets
import threading
import time

from sqlalchemy import select

from newsletter.domain import clock
from newsletter.domain.errors import NotRestored, WrongDocument
from newsletter.domain.lifecycle import Event
from newsletter.ledger import checkpointing, checkpoints, log, restored, sealing
from newsletter.ledger.sealing import ROW, Head, Sealing
from newsletter.storage.database import reading, writing
from newsletter.worker.restore.replay import Plan

#: How long to wait for earlier transactions, which delay sealing.
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.2


def finish(plan: Plan, *, actor: str) -> None:
    """Log that a backup was restored, seal it, and append a checkpoint that names the last one the backup knew."""
    kept = plan.kept.position
    with writing() as session:
        log.append(
            session,
            ref=secrets.token_hex(16),
            event=Event.RESTORED,
            at=clock.now(),
            detail=f"position {kept}",
            actor=actor,
        )
    head = _sealed()
    how = {"position": kept, "after": plan.known and plan.known.digest}
    with reading() as session:
        document = checkpointing.unsigned(session, head, since=plan.known, restored=how)
    try:
        is_appended = checkpoints.append(plan.folder, document, after=plan.last)
    except WrongDocument as wrong:
        raise NotRestored(f"{checkpoints.NAME}: {wrong}") from None
    except OSError as error:
        raise NotRestored(f"LEDGER_CHECKPOINTS: cannot be written to ({error.strerror}).") from None
    if not is_appended:
        raise NotRestored("A checkpoint was written meanwhile: stop the workers, and run it again.")
    restored.check()


def _sealed() -> Head:
    """Seal all rows up to the newest `restored`; raise NotRestored if an earlier transaction takes too long."""
    newest = select(ROW.id).where(ROW.event == Event.RESTORED).order_by(ROW.id.desc()).limit(1)
    sealing_, ends = Sealing(), time.monotonic() + PATIENCE_SECONDS
    while True:
        while sealing_.step():
            pass
        with reading() as session:
            head, wanted = sealing.head(session), session.scalar(newest)
        if wanted is None or (head.row_id is not None and head.row_id >= wanted):
            return head
        if time.monotonic() > ends:
            raise NotRestored("A transaction that began before keeps the ledger from being sealed.")
        threading.Event().wait(PAUSE_SECONDS)
