"""`newsletter ledger new-folder`: staff say that earlier checkpoints are lost for good, or were not this database's.

The ledger's head is signed into the new folder with everybody who was ever erased, so that a backup which is restored
later is recognised again. What only the lost ones knew stays lost; but since nothing tells whether this database is a
backup, nobody is added at Mailchimp before all contacts were compared.
"""

from __future__ import annotations

from pathlib import Path

from newsletter.domain.errors import NotBegun
from newsletter.ledger import checkpointing, checkpoints, restored, sealing
from newsletter.ledger import head as signed_head
from newsletter.ledger.checkpoints import Checkpoint
from newsletter.storage.database import reading
from newsletter.storage.runs import reconciliation


def begin(folder: Path, *, is_lost: bool) -> Checkpoint | None:
    """Sign the first checkpoint, and let the workers go on; None: nothing is sealed, and a worker will sign it.

    Raise NotBegun, and OSError. `is_lost`: also where they stand still for one that is known to be missing here.
    """
    if checkpoints.names(folder) or signed_head.identity(folder) is not None:
        raise NotBegun("LEDGER_CHECKPOINTS holds checkpoints, or a head: it is no new folder.")
    held = restored.held()
    if held is not None and not is_lost:
        raise NotBegun(
            f"{restored.complaint()}. Only where the checkpoints that tell of it are lost for good, or another"
            " service's: --yes."
        )
    with reading() as session:
        head = sealing.head(session)
        # Whoever stands still for the lost one sees that this one follows it (restoring.accounts_for).
        said = (
            checkpointing.content(session, head, None) | {"before": held} if head.position else None
        )
    if said is None and checkpointing.were_written():
        raise NotBegun("The ledger is empty, though checkpoints of it were written.")
    reconciliation.owe()
    written = None if said is None else checkpoints.write(folder, said)
    if held is not None:
        restored.release()
    return written
