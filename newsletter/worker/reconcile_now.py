"""`newsletter reconcile`: one reconciliation at once, with a lease of its own, while workers go on."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from newsletter.domain.errors import DeliveryFailure, Meaning, Unavailable
from newsletter.storage import backlog, holds, jobs
from newsletter.storage.runs import reconciliation
from newsletter.worker import backoff
from newsletter.worker.mailchimp.listing import MailchimpMembers
from newsletter.worker.mailchimp_loop import MailchimpLoop
from newsletter.worker.reconcile.report import Report
from newsletter.worker.reconcile.walk import Reconciliation

TRIES = 6  #: of a call with temporary failures, within a minute or two


def reconcile_now(
    mailchimp: MailchimpMembers,
    *,
    full: bool,
    may_exceed: bool,
    watch: Callable[[Report], None],
    on_retry: Callable[[str], None] = lambda _: None,
    is_correcting_only: bool = False,
) -> Report | None:
    """Reconcile, and call `watch` after each step; None: another one is under way. Raise DeliveryFailure.

    It only reads at Mailchimp and corrects what is recorded here. Changes at Mailchimp are made by the worker that has
    the lease; where no worker has it, they are made here, unless `is_correcting_only`. `on_retry` is called with the
    reason of the first failure.
    """
    owner = f"command {secrets.token_hex(8)}"
    if not jobs.take(jobs.RECONCILIATION, owner):
        return None
    with _renewing_leases(owner):
        scope = reconciliation.scope(full=full)
        under_way = Reconciliation(mailchimp, scope, may_exceed=may_exceed)
        report = under_way.report
        while _with_retries(under_way.step, on_retry):
            watch(report)
        reconciliation.end(scope, report.counts(), report.stopped)
        if not report.is_stopped:
            _sync(mailchimp, owner, report, is_workers=is_correcting_only)
        return report


def _sync(mailchimp: MailchimpMembers, owner: str, report: Report, *, is_workers: bool) -> None:
    """Make the changes at Mailchimp, unless a worker does, and count who still waits."""
    report.is_workers = is_workers or not jobs.take("audience", owner)
    if not report.is_workers:
        mailchimp_loop = MailchimpLoop(mailchimp, owner)
        while mailchimp_loop.step():
            pass
    waiting = backlog.people()
    report.waiting = waiting.number if waiting is not None else 0
    report.on_hold = holds.reason_of("mailchimp")


def _with_retries(step: Callable[[], bool], on_retry: Callable[[str], None]) -> bool:
    for tries in range(1, TRIES):
        try:
            return step()
        except DeliveryFailure as failure:
            if failure.meaning is not Meaning.RETRY_LATER:
                raise
            if tries == 1:
                on_retry(failure.reason)
        time.sleep(backoff.delay(tries).total_seconds())
    return step()


@contextmanager
def _renewing_leases(owner: str) -> Iterator[None]:
    """Renew this command's leases until it ends."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(jobs.BEAT_SECONDS):
            with suppress(SQLAlchemyError, Unavailable), app.app_context():
                jobs.renew(owner)

    beating = threading.Thread(target=beat, name="lease", daemon=True)
    beating.start()
    try:
        yield
    finally:
        is_over.set()
        beating.join()
        with suppress(SQLAlchemyError, Unavailable):
            jobs.leave(owner)
