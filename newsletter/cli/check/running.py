"""The worker: without one, no letter is sent and Mailchimp hears nothing."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from newsletter.cli.check.finding import Finding
from newsletter.storage import jobs, readiness
from newsletter.storage.keys import stale_worker


def findings(app: Flask) -> Iterator[Finding]:
    """Whether any worker said of late that it is there; what is wrong with the database is told elsewhere."""
    with app.app_context():
        if readiness.present() is not None:
            return
        if stale_worker.is_any():
            yield Finding("worker", stale_worker.WRONG, stale_worker.REMEDY)
        if not jobs.worker_is_alive():
            yield Finding(
                "worker",
                "none is at work, so that letters wait",
                "start the Procfile's `worker`, if it is not about to be",
                is_hint=True,
            )
