"""What `newsletter check` looks at: every mistake of configuration, each with what to do, in one sentence.

One module for each subject. A check is a function that yields what it finds; it changes nothing, and neither its
failing nor its hanging hides what the others find.
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
    holds,
    ledger,
    mailchimp,
    proxies,
    public_url,
    reconciliation,
    retention,
    running,
    sender,
    settings,
    smtp,
    storage,
    texts,
    webhook,
    wordings,
)
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings
from newsletter.storage.models import db

PATIENCE_SECONDS = 12.0

Check = Callable[[], Iterable[Finding]]

log = logging.getLogger(__name__)


def findings(asked: Settings, *, resolver: Resolver | None = None) -> list[Finding]:
    """All that is wrong with a configuration that can be read; `resolver` is whom DNS is asked of."""
    in_file = list(folders.database_file(asked))
    # Binding the application makes the file, and ends the process where that fails. A brand that is
    # broken must not keep us from the database.
    app = None if in_file else create_core(asked.model_copy(update={"brand_dir": None}))
    checks: list[tuple[str, Check]] = [
        *(_of_database(app) if app is not None else []),
        ("PUBLIC_URL", partial(public_url.findings, asked)),
        ("TRUSTED_PROXIES", partial(proxies.findings, asked)),
        ("SMTP_URL", partial(smtp.findings, asked)),
        ("MAIL_FROM", partial(sender.findings, asked, resolver)),
        ("MAILCHIMP_API_KEY", partial(mailchimp.findings, asked)),
        ("MAILCHIMP_WEBHOOK_SECRET", partial(webhook.findings, asked)),
        ("ADMIN_TOKENS", partial(settings.findings, asked)),
        ("STORAGE_URI", partial(storage.findings, asked)),
        ("LEDGER_CHECKPOINTS", partial(folders.checkpoints, asked)),
        ("BRAND_DIR", partial(texts.findings, asked)),
        ("clock", partial(clocks.findings, asked, app)),
    ]
    found = look(checks)
    if app is not None:
        with app.app_context():
            db.engine.dispose()
    return in_file + found


def _of_database(app: Flask) -> list[tuple[str, Check]]:
    return [
        ("DATABASE_URL", partial(database.findings, app)),
        ("worker", partial(running.findings, app)),
        ("hold", partial(holds.findings, app)),
        ("reconcile", partial(reconciliation.findings, app)),
        ("retention", partial(retention.findings, app)),
        ("ledger", partial(ledger.findings, app)),
        ("wording", partial(wordings.findings, app)),
    ]


def look(
    checks: Iterable[tuple[str, Check]], *, patience: float = PATIENCE_SECONDS
) -> list[Finding]:
    """Run checks side by side, each named by what it is about, for so many seconds; theirs in their order."""
    looks = [_Look(about, check) for about, check in checks]
    ends = time.monotonic() + patience
    for one in looks:
        one.start()
    return [finding for one in looks for finding in one.found_until(ends)]


class _Look(threading.Thread):
    """One check on a thread of its own; the process may end before it does."""

    def __init__(self, about: str, check: Check) -> None:
        super().__init__(daemon=True)
        self._about, self._check = about, check
        self._found: list[Finding] = []

    def run(self) -> None:
        """Note what is found, and that the check itself failed."""
        try:
            for finding in self._check():
                self._found.append(finding)
        except Exception:
            log.exception("the check of %s failed", self._about)
            wrong = "could not be looked at, for the reason logged above"
            self._found.append(Finding(self._about, wrong, "mend that, or report it"))

    def found_until(self, ends: float) -> list[Finding]:
        """What is found by then, and whether that is all (`ends`: on the monotonic clock)."""
        self.join(max(ends - time.monotonic(), 0))
        if not self.is_alive():
            return self._found
        wrong = "could not be looked at in time, since nothing answers"
        remedy = "see whether a firewall drops what is sent there"
        return [*self._found, Finding(self._about, wrong, remedy)]
