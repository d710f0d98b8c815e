"""Erasures, listed for staff: open ones, and those completed last."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from newsletter.storage.database import reading
from newsletter.storage.models import Erasure

MOST = 100


def unfinished() -> Sequence[Erasure]:
    """The oldest first."""
    query = select(Erasure).where(Erasure.completed_at.is_(None))
    # PostgreSQL takes the order from the index only where its first column is named.
    in_order = query.order_by(Erasure.completed_at, Erasure.requested_at)
    with reading() as session:
        return session.scalars(in_order.limit(MOST)).all()


def completed() -> Sequence[Erasure]:
    """The newest first."""
    query = select(Erasure).where(Erasure.completed_at.is_not(None))
    with reading() as session:
        return session.scalars(query.order_by(Erasure.completed_at.desc()).limit(MOST)).all()
