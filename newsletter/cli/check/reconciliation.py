"""Reconciling: whether the last time it was left undone, since it looked like a wrong list or Mailchimp refused."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from newsletter import config
from newsletter.cli.check.finding import Finding
from newsletter.ledger import restored
from newsletter.storage import readiness
from newsletter.storage.runs import reconciliation


def findings(app: Flask) -> Iterator[Finding]:
    """Why people here and at Mailchimp may differ; what is wrong with the database is told elsewhere."""
    with app.app_context():
        if readiness.present() is not None:
            return
        if (reason := reconciliation.complaint()) is not None:
            yield Finding(
                "reconcile",
                reason,
                f"see that MAILCHIMP_LIST_ID is right, and run `{_command()}` if it all is meant",
            )
        elif (reason := reconciliation.complaint_of_owed()) is not None:
            has_key = config.current().mailchimp_api_key is not None
            remedy = "a worker does it by itself, or `newsletter reconcile`"
            remedy = remedy if has_key else f"set MAILCHIMP_API_KEY: {remedy}"
            yield Finding("reconcile", reason, remedy, is_hint=True)


def _command() -> str:
    if restored.found() is not None:
        return "newsletter retention --after-restore --yes"  # until it has run, `reconcile` refuses
    return reconciliation.command_for_all(is_full=reconciliation.was_full())
