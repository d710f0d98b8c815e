"""The consent texts in the database: forms elsewhere may still show them, so each has to say what the law asks."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from sqlalchemy import select

from newsletter.cli.check.finding import Finding
from newsletter.cli.check.law.consent import registered_problems
from newsletter.storage import readiness
from newsletter.storage.database import reading
from newsletter.storage.models import Wording
from newsletter.subscriptions import wording, wording_registry


def findings(app: Flask) -> Iterator[Finding]:
    """Which texts that are still accepted lack something; what is wrong with the database is told elsewhere."""
    with app.app_context():
        if readiness.present() is not None:
            return
        reason = wording_registry.complaint()
        with reading() as session:
            query = select(Wording).where(Wording.withdrawn_at.is_(None)).order_by(Wording.hash)
            rows = session.scalars(query).all()
    if reason is not None:
        remedy = "change TOPICS or the template to what people are to agree to"
        yield Finding("wording", reason, remedy)
    for text in map(wording.of, rows):
        if missing := list(registered_problems(text)):
            yield Finding(
                f"wording {text.hash}",
                f"this consent text is still accepted and does not name {', '.join(missing)}",
                "have the forms show the present text, then run `newsletter wording withdraw` with its hash",
            )
