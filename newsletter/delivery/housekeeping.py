"""What the worker tidies: requests past their end, quotas that count no longer, what an erasure left in the file."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing

from sqlalchemy import delete, select

from newsletter import clock, database, erasures, retention, subscriptions
from newsletter.database import reading, writing
from newsletter.models import Erasure, Quota, Subscription

log = logging.getLogger(__name__)

BATCH = 100


def purge_expired() -> bool:
    """End the requests that nobody confirmed in time; True if there may be more."""
    with reading() as session:
        is_over = (Subscription.expires_at <= clock.now(), Subscription.hold.is_(False))
        query = select(Subscription.ref).where(*is_over).order_by(Subscription.expires_at)
        refs = session.scalars(query.limit(BATCH)).all()
    ended = sum(_expire(ref) for ref in refs)
    if ended:
        log.info("expired %d requests that nobody confirmed", ended)
    return ended == BATCH


def _expire(ref: str) -> bool:
    try:
        subscriptions.expire(ref)
    except Exception:
        # One row that cannot be read must not keep the rest.
        log.exception("request ref=%s could not be ended", ref)
        return False
    return True


def purge_quotas() -> None:
    """Delete the quotas of addresses that were written nothing for a day."""
    ended = clock.now() - retention.QUOTA_KEPT
    with reading() as session:
        if session.scalar(select(Quota.digest).where(Quota.touched_at <= ended).limit(1)) is None:
            return
    with writing() as session:
        session.execute(delete(Quota).where(Quota.touched_at <= ended))


def clean_file() -> bool:
    """Leave nothing in SQLite's files of what was erased; True if there was something to do.

    Deleted content is overwritten at once (secure_delete); the write-ahead log keeps it until a checkpoint.
    """
    file = database.file()
    if file is None:
        return False
    with reading() as session:
        ids = session.scalars(select(Erasure.id).where(Erasure.file_done_at.is_(None))).all()
    if not ids:
        return False
    with closing(sqlite3.connect(file, timeout=database.BUSY_SECONDS, isolation_level=None)) as own:
        own.execute("PRAGMA secure_delete=ON")
        own.execute("VACUUM")
        (is_busy, _, _) = own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        return False  # somebody is reading; the next round finds it again
    now = clock.now()
    with writing() as session:
        for erasure in session.scalars(select(Erasure).where(Erasure.id.in_(ids))):
            erasures.cleaned_from_file(erasure, now)
    return True
