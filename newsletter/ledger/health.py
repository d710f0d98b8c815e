"""What is amiss with the ledger, for /ready and `newsletter check`: each in a few words."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.ledger import checkpointing, restored, sealing, unseen
from newsletter.storage.runs import verification


def complaints() -> Iterator[str]:
    """All that staff should know; while the workers stand still, that alone."""
    if (reason := restored.complaint()) is not None:
        yield reason
        return
    looks = (
        unseen.complaint,
        sealing.complaint,
        checkpointing.complaint,
        verification.complaint,
    )
    for look in looks:
        if (reason := look()) is not None:
            yield reason
