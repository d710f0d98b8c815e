"""What is amiss with the ledger, for /ready and `newsletter check`."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.ledger import sealing
from newsletter.storage import notices
from newsletter.storage.notices import Code, Posted
from newsletter.storage.runs import verification


def posted() -> Iterator[Posted]:
    """The notices that are about its checkpoints."""
    for code in (Code.CHECKPOINTS_UNFIT, Code.CHECKPOINTS_UNWRITTEN):
        if (notice := notices.find(code)) is not None:
            yield notice


def complaints() -> Iterator[str]:
    """All else, each in a few words."""
    for look in (sealing.complaint, verification.complaint):
        if (reason := look()) is not None:
            yield reason
