"""Reconciling: whether the last time it was left undone, since it looked like a wrong list or Mailchimp refused."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from newsletter import outage, reconciliations
from newsletter.checkup.finding import Finding


def findings(app: Flask) -> Iterator[Finding]:
    """Why people here and at Mailchimp may differ; what is wrong with the database is told elsewhere."""
    with app.app_context():
        reason = None if outage.present() is not None else reconciliations.complaint()
        if reason is not None:
            command = reconciliations.command_for_all(is_full=reconciliations.was_full())
            yield Finding(
                "reconcile",
                reason,
                f"see that MAILCHIMP_LIST_ID is right, and run `{command}` if it all is meant",
            )
