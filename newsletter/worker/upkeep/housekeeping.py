"""What the worker tidies: requests past their end, and quotas that count no longer."""

from __future__ import annotations

import logging

from sqlalchemy import delete, select

from newsletter.domain import clock, periods
from newsletter.domain.errors import Unreadable
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Quota, Subscription
from newsletter.subscriptions import ending

log = logging.getLogger(__name__)

BATCH = 100
QUOTA_BATCH = 1000  #: rows deleted in one transaction, so that no sign-up waits long for it


class Housekeeping:
    """One round after the other; a row that cannot be read is passed over until the worker starts again."""

    def __init__(self) -> None:
        self._unreadable: set[str] = set()

    def step(self) -> bool:
        """One round; True if there may be more to do right away."""
        return any([self._purge_expired(), purge_quotas()])

    def _purge_expired(self) -> bool:
        """End the requests that nobody confirmed in time."""
        is_over = (Subscription.expires_at <= clock.now(), Subscription.hold.is_(False))
        is_readable = Subscription.ref.not_in(self._unreadable)
        query = select(Subscription.ref).where(*is_over, is_readable)
        with reading() as session:
            refs = session.scalars(
                query.order_by(Subscription.expires_at, Subscription.ref).limit(BATCH)
            ).all()
        for ref in refs:
            self._expire(ref)
        if refs:
            log.info("ended %d requests that nobody confirmed", len(refs))
        return len(refs) == BATCH

    def _expire(self, ref: str) -> None:
        try:
            ending.expire(ref)
        except Unreadable:
            # One row that cannot be read must not keep the rest.
            log.exception("request ref=%s could not be ended", ref)
            self._unreadable.add(ref)


def purge_quotas() -> bool:
    """Delete the quotas of addresses that were written nothing for a day."""
    ended = clock.now() - periods.QUOTA_KEPT
    query = select(Quota.digest).where(Quota.touched_at <= ended).limit(QUOTA_BATCH)
    with reading() as session:
        digests = session.scalars(query).all()
    if not digests:
        return False
    with writing() as session:
        # Touched meanwhile, it counts again.
        has_ended = (Quota.digest.in_(digests), Quota.touched_at <= ended)
        session.execute(delete(Quota).where(*has_ended))
    return len(digests) == QUOTA_BATCH
