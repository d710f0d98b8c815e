"""The end of restoring a backup: it is written down, sealed, and signed what was kept and what was lost.

From then on `newsletter ledger verify --checkpoints` knows it, and the workers go on.
"""

from __future__ import annotations

import secrets
import threading
import time

from sqlalchemy import select

from newsletter.domain import clock
from newsletter.domain.errors import NotRestored
from newsletter.domain.lifecycle import Event
from newsletter.ledger import checkpointing, checkpoints, log, sealing
from newsletter.ledger import restored as restoring
from newsletter.ledger.checkpoints import Checkpoint
from newsletter.ledger.sealing import ROW, Head, Sealing
from newsletter.storage.database import reading, writing
from newsletter.worker.restore.replay import Plan

PATIENCE_SECONDS = (
    60.0  #: how long a transaction that began before may keep the ledger from being sealed
)
PAUSE_SECONDS = 0.2


def finish(plan: Plan, *, actor: str) -> Checkpoint:
    """Write down that a backup was restored, seal it, sign what was kept and lost, and let the workers go on."""
    with writing() as session:
        log.append(
            session,
            ref=secrets.token_hex(16),
            event=Event.RESTORED,
            at=clock.now(),
            detail=f"position {plan.kept.position}",
            actor=actor,
        )
    head, lost_head = _sealed(), plan.lost_head
    restored = {
        "kept": {"position": plan.kept.position, "seal": plan.kept.seal.hex()},
        "lost": [
            {"position": one.position, "seal": one.seal, "digest": one.digest} for one in plan.lost
        ],
        # Its file is going to be replaced.
        "head": lost_head and {"position": lost_head.position, "seal": lost_head.seal},
    }
    with reading() as session:
        said = checkpointing.content(
            session, head, plan.newest, since=plan.common, restored=restored
        )
    try:
        written = checkpoints.write(plan.folder, said)
    except OSError as error:
        raise NotRestored(f"LEDGER_CHECKPOINTS: cannot be written to ({error.strerror}).") from None
    restoring.release()
    return written


def _sealed() -> Head:
    """Seal all there is up to the newest `restored`; raise NotRestored where somebody writes for very long."""
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
