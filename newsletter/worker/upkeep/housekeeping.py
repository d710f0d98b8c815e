"""What the worker deletes continuously: requests that nobody confirmed, quotas, and inquiries of staff."""

from __future__ import annotations

import logging

from newsletter.rights.data import inquiries, quotas, requests
from newsletter.worker.upkeep import retention

log = logging.getLogger(__name__)


class Housekeeping:
    """A request that cannot be ended is skipped until the worker starts again."""

    def __init__(self) -> None:
        self._requests = retention.Batches(requests.ENDING)

    def step(self) -> bool:
        """Delete a batch of each; True if there may be more to do at once."""
        count = self._requests.step()
        if count:
            log.info("ended %d requests that nobody confirmed", count)
        inquiries.purge()
        return quotas.purge() or count == retention.BATCH
