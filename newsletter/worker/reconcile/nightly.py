"""The worker's reconciliations, step by step: every night, and after every hold of Mailchimp."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from newsletter.domain import clock
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.storage import jobs, outage
from newsletter.storage.runs import reconciliation
from newsletter.worker import backoff
from newsletter.worker.mailchimp.listing import MailchimpMembers
from newsletter.worker.progress import Progress, after_failure
from newsletter.worker.reconcile.walk import Reconciliation

NOT_BEGUN = timedelta(hours=1)
_OUTCOMES = {
    Meaning.RETRY_LATER: "goes on later",
    Meaning.GIVE_UP_ONE: "left until the next night",
    Meaning.REJECTED: "left until the next night",
    Meaning.HOLD_ALL: "all that is meant for Mailchimp waits",
}

log = logging.getLogger(__name__)


class NightlyReconciliation:
    """Begins a reconciliation when one is due; it never makes more changes than the limit."""

    def __init__(self, mailchimp: MailchimpMembers, owner: str) -> None:
        self._mailchimp = mailchimp
        self._owner = owner
        self._under_way: Reconciliation | None = None
        self._tries = 0
        self._try_at: datetime | None = None

    def step(self) -> Progress:
        """Read one page, or correct some differences."""
        if self._try_at is not None and clock.now() < self._try_at:
            return Progress.IDLE
        try:
            if self._under_way is None and not reconciliation.is_due():
                return Progress.IDLE
            if not jobs.take(jobs.RECONCILIATION, self._owner):
                self._under_way = None
                return Progress.IDLE
            if self._under_way is None:
                scope = reconciliation.scope()
                self._under_way = Reconciliation(self._mailchimp, scope)
            return self._go_on(self._under_way)
        except DeliveryFailure as failure:
            return self._fail(failure)
        except outage.OF_THE_DATABASE:
            # A page was not compared: start anew.
            self._under_way = None
            raise
        except Exception as error:
            # It must not be repeated every second, nor stop the loop.
            log.exception("reconciling stumbled")
            return self._give_up(type(error).__name__)

    def drop(self) -> None:
        """Abandon the present reconciliation."""
        if self._under_way is not None:
            self._under_way = None
            jobs.give_back(jobs.RECONCILIATION, self._owner)
        self._tries, self._try_at = 0, None

    def _go_on(self, under_way: Reconciliation) -> Progress:
        is_done = not under_way.step()
        self._tries, self._try_at = 0, None
        if is_done:
            self._end(under_way, under_way.report.stopped)
        return Progress.DONE

    def _end(self, under_way: Reconciliation, stopped: str | None) -> None:
        counts = under_way.report.counts()
        reconciliation.end(under_way.scope, counts, stopped)
        level = logging.INFO if stopped is None else logging.WARNING
        log.log(level, "reconciliation: %s", {"stopped": stopped, **counts})
        self.drop()

    def _fail(self, failure: DeliveryFailure) -> Progress:
        outcome = _OUTCOMES[failure.meaning]
        log.warning("reconciling failed: %s, %s", failure.reason, outcome)
        match failure.meaning:
            case Meaning.HOLD_ALL:
                self.drop()
                return after_failure(failure)
            case Meaning.RETRY_LATER:
                # It continues where it is.
                self._tries += 1
                self._try_at = clock.now() + backoff.delay(self._tries)
                return Progress.FAILED
            case Meaning.GIVE_UP_ONE | Meaning.REJECTED:
                return self._give_up(failure.reason)

    def _give_up(self, reason: str) -> Progress:
        """Stop until the next night, and tell staff; if it has not even begun, for an hour."""
        if self._under_way is not None:
            self._end(self._under_way, reason)
        else:
            self._try_at = clock.now() + NOT_BEGUN
        return Progress.FAILED
