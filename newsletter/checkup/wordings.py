"""The consent texts in the database: forms elsewhere may still show them, so each has to say what the law asks."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from sqlalchemy import select

from newsletter import config, outage, wording
from newsletter.checkup.finding import Finding
from newsletter.database import reading
from newsletter.lint.consent import registered_problems
from newsletter.models import Wording


def findings(app: Flask) -> Iterator[Finding]:
    """Which texts that are still accepted lack something; what is wrong with the database is told elsewhere."""
    with app.app_context():
        if outage.present() is not None:
            return
        settings = config.current()
        present = {wording.render(language, settings).hash for language in settings.locales}
        with reading() as session:
            rows = session.scalars(select(Wording).order_by(Wording.hash)).all()
    if any(row.withdrawn_at is not None and row.hash in present for row in rows):
        yield Finding(
            "wording",
            "the text of the present settings was withdrawn, and another one is shown in its place",
            "change TOPICS or the template to what people are to agree to",
        )
    for text in (wording.of(row) for row in rows if row.withdrawn_at is None):
        if missing := list(registered_problems(text)):
            yield Finding(
                f"wording {text.hash}",
                f"this consent text is still accepted and does not name {', '.join(missing)}",
                "have the forms show the present text, then run `newsletter wording withdraw` with its hash",
            )
