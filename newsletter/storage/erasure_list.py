"""Erasures as a list for staff: those that are not completed, and the last that were."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from newsletter.storage.database import reading
from newsletter.storage.models import Erasure

MOST = 100


def unfinished() -> Sequence[Erasure]:
    """Those that are open, the oldest first."""
    query = select(Erasure).where(Erasure.completed_at.is_(None)).order_by(Erasure.requested_at)
    with reading() as session:
        return session.scalars(query.limit(MOST)).all()


def completed() -> Sequence[Erasure]:
    """Those that were completed last."""
    query = select(Erasure).where(Erasure.completed_at.is_not(None))
    with reading() as session:
        return session.scalars(query.order_by(Erasure.completed_at.desc()).limit(MOST)).all()
