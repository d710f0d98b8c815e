"""Keeping the newest signed head: signed anew whenever anything was sealed, so that nothing sealed goes unsigned."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.errors import WrongDocument
from newsletter.ledger import head as signed_head
from newsletter.ledger import sealing
from newsletter.ledger.files import Identity
from newsletter.ledger.head import SignedHead
from newsletter.storage.database import reading
from newsletter.storage.keys import keyring

AGAIN_AFTER = timedelta(seconds=30)  #: where it could not be written


class HeadKeeping:
    """Writes the head when it is another; it remembers the file, and reads it again only when that has changed."""

    def __init__(self) -> None:
        self._signed: SignedHead | None = None
        self._read_of: Identity | None = None
        self._trouble: str | None = None
        self._try_at: datetime | None = None

    def step(self, folder: Path, restorations: int) -> str | None:
        """Sign the head if it is another than the one that is signed; why that cannot be, None: all is well.

        `restorations`: what the newest checkpoint says.
        """
        if self._try_at is not None and clock.now() < self._try_at:
            return self._trouble
        try:
            self._keep(folder, restorations)
        except OSError as error:
            return self._fail(error.strerror or type(error).__name__)
        except WrongDocument as wrong:
            return self._fail(f"{signed_head.NAME}: {wrong}")
        self._try_at = self._trouble = None
        return None

    def _fail(self, why: str) -> str:
        self._try_at = clock.now() + AGAIN_AFTER
        self._trouble = f"the signed head cannot be written: {why}"
        return self._trouble

    def _keep(self, folder: Path, restorations: int) -> None:
        # Before the database is looked at: what another worker signs meanwhile is then not taken for too new. At every
        # step, since one whose lease has ended may have put its own there.
        signed = self._look(folder)
        with reading() as session:
            head = sealing.head(session)
            if signed is not None:
                is_same = (signed.restorations, signed.seal) == (restorations, head.seal.hex())
                if is_same and keyring.is_ours(signed.key):
                    return
                if signed.restorations >= restorations:
                    _refuse_wrong(session, signed, restorations)
        if head.position:
            # Where another worker was faster, the next step sees it.
            with suppress(FileExistsError):
                signed_head.write(folder, head, restorations=restorations, seen=self._read_of)

    def _look(self, folder: Path) -> SignedHead | None:
        there = signed_head.identity(folder)
        if there is None or there != self._read_of:
            self._signed = None if there is None else signed_head.read(folder)
            self._read_of = there
        return self._signed


def _refuse_wrong(session: Session, signed: SignedHead, restorations: int) -> None:
    """What tells of a ledger that was cut off or rewritten is not replaced: raise WrongDocument."""
    if not keyring.is_ours(signed.key):
        raise WrongDocument("It is signed by a key that is not ours.")
    if signed.restorations > restorations:
        raise WrongDocument("It is newer than all checkpoints.")
    if not signed_head.fits(session, signed):
        raise WrongDocument(
            "It names a seal that the ledger does not have; `newsletter ledger verify --checkpoints` tells more."
        )
