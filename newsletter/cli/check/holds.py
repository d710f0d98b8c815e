"""Holds: why nothing is sent, or nothing brought to Mailchimp, even where a look at them finds nothing wrong.

Only a worker sends and changes anything: that a letter, or a change, is refused shows in its hold alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from newsletter import config
from newsletter.cli.check import smtp
from newsletter.cli.check.finding import Finding
from newsletter.storage import jobs, readiness
from newsletter.worker.mailchimp.trouble import trouble_behind


def findings(app: Flask) -> Iterator[Finding]:
    """What is on hold, and why; what is wrong with the database is told elsewhere."""
    with app.app_context():
        if readiness.present() is not None:
            return
        if (reason := jobs.hold_reason("mail")) is not None:
            wrong, remedy = smtp.explained(reason)
            yield Finding("SMTP_URL", f"letters are on hold: {wrong}", remedy)
        has_key = config.current().mailchimp_api_key is not None
        if has_key and (reason := jobs.hold_reason("mailchimp")) is not None:
            trouble = trouble_behind(reason)
            wrong = f"what is meant for Mailchimp is on hold: {trouble.wrong}"
            yield Finding(trouble.about, wrong, trouble.remedy)
