"""All classes of data, those that end by time, and which rows have ended.

The nightly run deletes what is found here, and `newsletter retention --dry-run` lists it.
"""

from __future__ import annotations

from newsletter.domain import clock
from newsletter.rights.data import (
    consents,
    erasures,
    inquiries,
    operation,
    proofs,
    quotas,
    requests,
    runs,
    wordings,
)
from newsletter.rights.data.ending import Ending, Next

CLASSES = (
    requests.REQUESTS,
    consents.CONSENTS,
    proofs.PROOFS,
    consents.HARD_BLOCKS,
    consents.RESTRICTED,
    consents.LETTERS,
    quotas.QUOTAS,
    inquiries.INQUIRIES,
    erasures.OPEN_ERASURES,
    erasures.ERASURES,
    wordings.WORDINGS,
    operation.LEDGER,
    operation.CHECKPOINTS,
    runs.RUNS,
    operation.COUNTS,
    operation.JOBS,
    operation.KEYRING,
    operation.CLIENT_LIMITS,
)
#: In this order, since a proof may wait for the end of a request.
ENDINGS = (requests.ENDING, proofs.ENDING, erasures.ENDING, wordings.ENDING, runs.ENDING)


def plan() -> list[tuple[Ending, list[str], Next]]:
    """For each class, the keys of the rows that have ended, and what ends next."""
    now = clock.now()
    return [(ending, ending.find(now), ending.next(now)) for ending in ENDINGS]
