"""Seals what the ledger holds, as the worker does within two seconds."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from newsletter import clock, seals
from newsletter.database import writing
from newsletter.models import LedgerRow, Seal


def seal_all(app: Flask) -> None:
    """Every row that has no seal gets one."""
    with app.app_context(), writing() as session:
        last = session.scalar(select(Seal).order_by(Seal.position.desc()).limit(1))
        position, before = (last.position, last.seal) if last else (0, seals.START)
        unsealed = select(LedgerRow).where(LedgerRow.id.not_in(select(Seal.row_id)))
        for row in session.scalars(unsealed.order_by(LedgerRow.id)).all():
            position, now = position + 1, clock.now()
            before = seals.seal(before, position, now, seals.told(row))
            session.add(Seal(position=position, row_id=row.id, seal=before, sealed_at=now))
