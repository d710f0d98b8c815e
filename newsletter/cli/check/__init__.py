"""`newsletter check`: every mistake of configuration, each with its remedy, in one sentence.

One module for each subject. A check is a function that yields findings and changes nothing; one that fails or hangs
does not keep the others from reporting.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from dns.resolver import Resolver
from flask import Flask

from newsletter.app import create_core
from newsletter.cli.check import (
    clocks,
    database,
    folders,
    mailchimp,
    public_url,
    running,
    sender,
    settings,
    smtp,
    texts,
    webhook,
)
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings
from newsletter.storage.models import db

PATIENCE_SECONDS = 12.0

Check = Callable[[], Iterable[Finding]]

log = logging.getLogger(__name__)


def findings(asked: Settings, *, resolver: Resolver | None = None) -> list[Finding]:
    """All findings for valid settings; `resolver` replaces the system's."""
    unusable = list(folders.database_file(asked))
    # Creating the application creates the database file, and ends the process where that fails. A broken brand must
    # not keep us from the database.
    app = None if unusable else create_core(asked.model_copy(update={"brand_dir": None}))
    checks: list[tuple[str, Check]] = [
        *(_of_database(app) if app is not None else []),
        ("PUBLIC_URL", partial(public_url.findings, asked)),
        ("SMTP_URL", partial(smtp.findings, asked)),
        ("MAIL_FROM", partial(sender.findings, asked, resolver)),
        ("MAILCHIMP_API_KEY", partial(mailchimp.findings, asked)),
        ("MAILCHIMP_WEBHOOK_SECRET", partial(webhook.findings, asked)),
        ("settings", partial(settings.findings, asked)),
        ("LEDGER_CHECKPOINTS", partial(folders.checkpoints, asked)),
        ("BRAND_DIR", partial(texts.findings, asked)),
        ("clock", partial(clocks.findings, asked, app)),
    ]
    found = run_all(checks)
    if app is not None:
        with app.app_context():
            db.engine.dispose()
    return unusable + found


def _of_database(app: Flask) -> list[tuple[str, Check]]:
    return [
        ("DATABASE_URL", partial(database.findings, app)),
        ("worker", partial(running.findings, app)),
    ]


def run_all(
    checks: Iterable[tuple[str, Check]], *, patience: float = PATIENCE_SECONDS
) -> list[Finding]:
    """Run checks in parallel, each with its subject, for at most `patience` seconds; findings in their order."""
    runs = [_Run(about, check) for about, check in checks]
    deadline = time.monotonic() + patience
    for run in runs:
        run.start()
    return [finding for run in runs for finding in run.found_by(deadline)]


class _Run(threading.Thread):
    """One check on its own thread; the process may end before it does."""

    def __init__(self, about: str, check: Check) -> None:
        super().__init__(daemon=True)
        self._about, self._check = about, check
        self._found: list[Finding] = []

    def run(self) -> None:
        """Collect findings; a check that fails is one."""
        try:
            for finding in self._check():
                self._found.append(finding)
        except Exception:
            log.exception("the check of %s failed", self._about)
            wrong = "could not be checked, for the reason logged above"
            self._found.append(Finding(self._about, wrong, "correct that, or report it"))

    def found_by(self, deadline: float) -> list[Finding]:
        """The findings so far; one more where the check still runs at the deadline (monotonic clock)."""
        self.join(max(deadline - time.monotonic(), 0))
        if not self.is_alive():
            return self._found
        wrong = "could not be checked in time, since nothing answers"
        remedy = "check whether a firewall drops the packets"
        return [*self._found, Finding(self._about, wrong, remedy)]
