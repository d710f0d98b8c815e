"""Subscribes many people with few calls: POST /lists/{list_id} takes 500 at once.

Only people are taken who are to be subscribed and have no earlier call of unknown outcome. The outcome is recorded for
each person; if the answer does not say enough about one, they get a call of their own.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import datetime
from typing import Any

from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.errors import DeliveryFailure, Meaning, Unreadable
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.storage import holds
from newsletter.storage.database import writing
from newsletter.storage.keys import keyring
from newsletter.subscriptions.person import ADDRESS_COLUMN
from newsletter.worker.audience import batch_rows
from newsletter.worker.audience import outcome as recording
from newsletter.worker.audience.due import SyncTask
from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.mailchimp.failures import COMPLIANCE_STATE, REFUSALS
from newsletter.worker.mailchimp.members import Subscriber
from newsletter.worker.progress import Progress

log = logging.getLogger(__name__)

#: Simultaneous calls. An account has 10, and others use it, too (Mailchimp, "Rate limits and timeouts").
CONNECTIONS = 4
#: For how long a batch that was refused because of somebody in it is repeated in halves.
SPLITTING_SECONDS = 20.0

Outcome = MailchimpStatus | DeliveryFailure | None


class Batches:
    """After a step, `left_over` has references of people who need a call of their own."""

    def __init__(self, mailchimp: Mailchimp) -> None:
        self._mailchimp = mailchimp
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="mailchimp")
        self._most = 1
        self.left_over: list[str] = []
        self.in_compliance: set[str] = (
            set()
        )  #: of those, whom Mailchimp adds only after asking them once more

    def step(self) -> Progress:
        """Send as many batches at once as there are connections, and record the outcomes."""
        self.left_over, self.in_compliance = [], set()
        if holds.reason_of("mailchimp") is not None:
            # A probe is a call for one person, in case the refusal is about a person after all.
            return Progress.IDLE
        calls: dict[Future[list[Outcome]], list[SyncTask]] = {}
        while len(calls) < self._most and (batch := self._take()):
            calls[self._pool.submit(self._send, batch, time.monotonic())] = batch
        results = {self._record(calls[call], call.result()) for call in as_completed(calls)}
        # The first batch goes alone: if Mailchimp refuses everything, one call is enough to know.
        self._most = CONNECTIONS if results == {Progress.DONE} else 1
        for progress in (Progress.STOP, Progress.DONE, Progress.FAILED):
            if progress in results:
                return progress
        return Progress.IDLE

    def _take(self) -> list[SyncTask]:
        if not batch_rows.are_enough():
            return []
        now = clock.now()
        with writing() as session:
            batch = [self._task(row, now) for row in session.execute(batch_rows.due(now))]
            taken = [task for task in batch if task is not None]
            batch_rows.record_call(session, taken, now)
        return taken

    def _task(self, row: Any, now: datetime) -> SyncTask | None:
        try:
            text = keyring.current().decrypt(row.address, ref=row.ref, column=ADDRESS_COLUMN)
        except Unreadable:
            self.left_over.append(row.ref)
            return None
        return SyncTask(
            ref=row.ref,
            digest=row.digest,
            round=row.round,
            subscriber=Subscriber(
                Address.unchecked(text), row.locale, row.asked_at or row.since, row.since
            ),
            wanted=MailchimpStatus.SUBSCRIBED,
            known=row.audience,
            synced_round=row.synced_round,
            asked=None,
            settles_at=None,
            taken_at=now,
        )

    def _send(self, batch: Sequence[SyncTask], began: float) -> list[Outcome]:
        try:
            return self._mailchimp.subscribe_all([task.subscriber for task in batch])
        except DeliveryFailure as failure:
            if failure.meaning not in REFUSALS:
                return [failure] * len(batch)
        # The whole batch was refused because of somebody in it: the others must not wait.
        if len(batch) == 1 or time.monotonic() - began > SPLITTING_SECONDS:
            return [None] * len(batch)
        half = len(batch) // 2
        return self._send(batch[:half], began) + self._send(batch[half:], began)

    def _record(self, batch: Sequence[SyncTask], outcomes: Sequence[Outcome]) -> Progress:
        told = list(zip(batch, outcomes, strict=True))
        batch_rows.settle_all(
            [task for task, outcome in told if outcome is MailchimpStatus.SUBSCRIBED]
        )
        failed = [(task, why) for task, why in told if isinstance(why, DeliveryFailure)]
        for task, failure in failed:
            if failure.reason == COMPLIANCE_STATE:
                self.in_compliance.add(task.ref)
                self._leave_over(task, task.known)
        recording.fail_all([each for each in failed if each[0].ref not in self.in_compliance])
        for task, outcome in told:
            if outcome is None:
                self._leave_over(task, MailchimpStatus.UNKNOWN)
        reasons = Counter(failure.reason for _, failure in failed)
        log.info("mailchimp took %d of %d, failed: %s", len(told), len(batch), dict(reasons))
        return _progress_after(failed, len(batch))

    def _leave_over(self, task: SyncTask, known: MailchimpStatus) -> None:
        recording.hand_back(task, known)
        self.left_over.append(task.ref)


def _progress_after(failed: Sequence[tuple[SyncTask, DeliveryFailure]], of: int) -> Progress:
    refusal = next((why for _, why in failed if why.meaning is Meaning.HOLD_ALL), None)
    if refusal is not None:
        holds.begin("mailchimp", refusal.reason)
        return Progress.STOP
    is_passing = len(failed) == of and all(why.meaning is Meaning.RETRY_LATER for _, why in failed)
    return Progress.FAILED if is_passing else Progress.DONE
