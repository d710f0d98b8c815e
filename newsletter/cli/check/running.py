"""The running service: whether a worker is alive, its notices, the ledger, and the consent texts that are accepted.

Only a worker sends e-mails and changes anything at Mailchimp, so only its notices show that it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from sqlalchemy import select

from newsletter import config
from newsletter.cli.check import smtp
from newsletter.cli.check.finding import Finding
from newsletter.cli.check.law.consent import registered_problems
from newsletter.ledger import restored, sealing
from newsletter.storage import backlog, jobs, notices, readiness
from newsletter.storage.database import reading
from newsletter.storage.models import Wording
from newsletter.storage.notices import Code, Posted
from newsletter.subscriptions import wording, wording_registry
from newsletter.worker.mailchimp.trouble import trouble_behind


def findings(app: Flask) -> Iterator[Finding]:
    """All findings; none where the database itself cannot be used, which check.database reports."""
    with app.app_context():
        if readiness.trouble() is None:
            yield from _worker()
            yield from dict.fromkeys(
                finding for each in notices.current() if (finding := _finding(each))
            )
            for kind, waiting in backlog.overdue():
                yield Finding(kind, str(waiting), "see the worker's log")
            yield from _ledger()
            yield from _wordings()


def _worker() -> Iterator[Finding]:
    if not jobs.worker_is_alive():
        yield Finding(
            "worker",
            "none is running, so e-mails wait",
            "start the Procfile's `worker`, unless it is about to start",
            is_hint=True,
        )


def _finding(posted: Posted) -> Finding | None:
    if posted.code is Code.MAIL_ON_HOLD:
        wrong, remedy = smtp.explained(posted.detail or "")
        return Finding("SMTP_URL", f"e-mails are on hold: {wrong}", remedy)
    if posted.code is Code.MAILCHIMP_ON_HOLD:
        if config.current().mailchimp_api_key is None:
            return None  # without a key the hold cannot end
        trouble = trouble_behind(posted.detail or "")
        wrong = f"changes at Mailchimp are on hold: {trouble.wrong}"
        return Finding(trouble.about, wrong, trouble.remedy)
    sentence = posted.sentence
    return Finding(sentence.about, sentence.wrong, sentence.remedy, sentence.is_hint)


def _ledger() -> Iterator[Finding]:
    if (reason := sealing.overdue()) is not None:
        yield Finding("ledger", reason, "see docs/ledger.md")
    mismatch = restored.mismatch()
    if mismatch is not None and notices.find(Code.CHECKPOINTS_UNFIT) is None:
        yield Finding("LEDGER_CHECKPOINTS", mismatch.value, "see docs/ledger.md")


def _wordings() -> Iterator[Finding]:
    """Forms on other sites may still show an earlier text, so each must name what the law requires."""
    if (reason := wording_registry.warning()) is not None:
        remedy = "change TOPICS or the template to the intended text"
        yield Finding("wording", reason, remedy)
    with reading() as session:
        query = select(Wording).where(Wording.withdrawn_at.is_(None)).order_by(Wording.hash)
        texts = [wording.text_of(row) for row in session.scalars(query)]
    for text in texts:
        if missing := list(registered_problems(text)):
            yield Finding(
                f"wording {text.hash}",
                f"this consent text is still accepted and does not name {', '.join(missing)}",
                "copy the present text into those forms, then run `newsletter wording withdraw` with its hash",
            )
