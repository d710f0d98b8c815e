"""What is amiss with the ledger, for /ready and `newsletter check`: each in a few words."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter import checkpointing, restoring, sealing, unseen, verifications


def complaints() -> Iterator[str]:
    """All that staff should know; while the workers stand still, that alone."""
    if (reason := restoring.complaint()) is not None:
        yield reason
        return
    looks = (
        unseen.complaint,
        sealing.complaint,
        checkpointing.complaint,
        verifications.complaint,
    )
    for look in looks:
        if (reason := look()) is not None:
            yield reason
