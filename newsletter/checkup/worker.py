"""The worker: without one, no letter is sent and Mailchimp hears nothing."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from newsletter import jobs, left_out, outage
from newsletter.checkup.finding import Finding


def findings(app: Flask) -> Iterator[Finding]:
    """Whether any worker said of late that it is there; what is wrong with the database is told elsewhere."""
    with app.app_context():
        if outage.present() is not None:
            return
        if left_out.is_any():
            yield Finding("worker", left_out.WRONG, left_out.REMEDY)
        if not jobs.worker_is_alive():
            yield Finding(
                "worker",
                "none is at work, so that letters wait",
                "start the Procfile's `worker`, if it is not about to be",
                is_hint=True,
            )
