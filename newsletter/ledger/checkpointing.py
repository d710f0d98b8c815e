"""Appends checkpoints: at once after an erasure, otherwise EVERY few seconds."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import WrongDocument
from newsletter.domain.lifecycle import Event
from newsletter.ledger import checkpoints, restored, sealing
from newsletter.ledger.checkpoints import Checkpoint
from newsletter.ledger.sealing import ROW, Head
from newsletter.storage import notices
from newsletter.storage.database import reading
from newsletter.storage.keys.signing import Document
from newsletter.storage.models import Erasure
from newsletter.storage.notices import Code
from newsletter.storage.runs import checkpoints as record

EVERY = timedelta(seconds=5)
RETRY = timedelta(seconds=30)  #: after the file could not be written

log = logging.getLogger(__name__)


class Checkpointing:
    """Any number of processes may append to one file, or each to its own."""

    def __init__(self) -> None:
        self._in_file: bytes | None = None  # the newest seal in the file, as far as known
        self._try_at: datetime | None = None

    def step(self) -> bool:
        """Append a line if one is due; True if one was appended. Raise RestoredDatabase.

        Where the folder cannot be written to, post a notice and try again later.
        """
        folder = config.current().ledger_checkpoints
        if folder is None or (self._try_at is not None and clock.now() < self._try_at):
            return False
        try:
            return self._append_due(folder)
        except OSError as error:
            return self._fail(str(error.strerror))
        except WrongDocument as error:
            return self._fail(str(error))

    def _fail(self, reason: str) -> bool:
        self._try_at = clock.now() + RETRY
        if notices.post(Code.CHECKPOINTS_UNWRITTEN, detail=reason):
            log.warning("checkpoints cannot be written: %s", reason)
        return False

    def _append_due(self, folder: Path) -> bool:
        with reading() as session:
            head = sealing.head(session)
        if head.position == 0 or head.seal == self._in_file:
            return False
        last = restored.check()
        with reading() as session:
            head = sealing.head(session)  # again: another process may have appended a newer one
            document = unsigned(session, head, since=last)
        is_in_file = last is not None and last.seal == head.seal.hex()
        if not is_in_file:
            if last is not None and not document["erased"] and _is_recent(last):
                return False
            if not checkpoints.append(folder, document, after=last):
                return False  # another process appended one: the next step reads it
            record.expect()
        self._in_file, self._try_at = head.seal, None
        notices.clear(Code.CHECKPOINTS_UNWRITTEN)
        return not is_in_file


def _is_recent(last: Checkpoint) -> bool:
    return timedelta(0) <= clock.now() - last.at < EVERY


def unsigned(
    session: Session, head: Head, *, since: Checkpoint | None, restored: Document | None = None
) -> Document:
    """A checkpoint of a head, to be signed. It names who was erased after the checkpoint `since` (None: ever).

    `restored`: where the ledger of a restored backup ended.
    """
    assert head.row_id is not None  # noqa: S101 - tells mypy
    erased = _erased(session, since.row_id if since else 0, head.row_id)
    return {
        "position": head.position,
        "row_id": head.row_id,
        "seal": head.seal.hex(),
        "at": rfc3339(clock.now()),
        "erased": [{"reference": ref, "keep_block": is_kept} for ref, is_kept in erased],
        "restored": restored,
    }


def _erased(session: Session, after: int, up_to: int) -> Iterable[tuple[str, bool]]:
    """The erased reference numbers, each with whether its block is kept."""
    is_erased = (ROW.event == Event.ERASED, ROW.id > after, ROW.id <= up_to)
    refs = session.scalars(select(ROW.ref).where(*is_erased).order_by(ROW.id))
    kept = select(Erasure.ref).where(Erasure.keep_block.is_(True))
    blocked = set(session.scalars(kept.where(Erasure.ref.in_(select(ROW.ref).where(*is_erased)))))
    return [(ref, ref in blocked) for ref in dict.fromkeys(refs)]
