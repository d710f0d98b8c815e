"""The audience loop: brings each person's status at Mailchimp to the wanted one, read from the rows.

People to subscribe are sent in batches (batches.py); whoever needs a lookup or another call gets one of their own. Only
one worker at a time runs this.
"""

from __future__ import annotations

import logging
from collections import deque

from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.domain.lifecycle import UNSETTLED, MailchimpStatus, Reason
from newsletter.storage import outage
from newsletter.storage.runs import reconciliation
from newsletter.subscriptions import reported
from newsletter.worker.audience import due
from newsletter.worker.audience import outcome as recording
from newsletter.worker.audience.batches import Batches
from newsletter.worker.audience.due import SyncTask
from newsletter.worker.audience.outcome import OutdatedTask, record_call, settle
from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.mailchimp.failures import COMPLIANCE_STATE
from newsletter.worker.mailchimp.members import Member
from newsletter.worker.progress import Progress, after_failure

#: How many people get a call of their own before the next batches.
ALONE_AT_ONCE = 100

log = logging.getLogger(__name__)


class AudienceSync:
    def __init__(self, mailchimp: Mailchimp) -> None:
        self._mailchimp = mailchimp
        self._batches = Batches(mailchimp)
        self._waiting: deque[str] = deque()

    def step(self) -> Progress:
        """Sync one person; if none is queued, send batches."""
        waiting = [] if self._waiting else due.waiting(ALONE_AT_ONCE)
        if not (self._waiting or waiting):
            return Progress.IDLE
        is_full_required = reconciliation.is_full_required()
        if is_full_required and not self._waiting:
            # People to be added may have unsubscribed since the backup: the reconciliation finds out first.
            self._waiting.extend(due.waiting(ALONE_AT_ONCE, leaving=True))
        elif not self._waiting:
            progress = self._batches.step()
            self._waiting.extend(self._batches.left_over)
            if progress is not Progress.IDLE:
                # Unsubscribing must not wait until all batches are sent.
                self._waiting.extend(due.waiting(ALONE_AT_ONCE, alone=True))
                return progress
            self._waiting.extend(waiting)
        if not self._waiting:
            return Progress.IDLE
        return self._settle(self._waiting.popleft(), adds=not is_full_required)

    def _settle(self, ref: str, *, adds: bool) -> Progress:
        task: SyncTask | None = None
        try:
            task = due.take(ref)
            if task is None or not (adds or task.wanted is MailchimpStatus.UNSUBSCRIBED):
                return Progress.FAILED
            self._carry_out(task)
        except OutdatedTask:
            return Progress.FAILED
        except DeliveryFailure as failure:
            outcome = _outcome(failure, task)
            log.warning("mailchimp ref=%s failed: %s, %s", ref, failure.reason, outcome)
            if task is not None:
                recording.fail_all([(task, failure)])
            progress = after_failure(failure)
            if progress is Progress.STOP:
                self._waiting.clear()
            return progress
        except outage.OF_THE_DATABASE:
            raise
        except Exception as error:
            # A person with a damaged row must not stop the others.
            log.exception("mailchimp ref=%s could not be settled", ref)
            recording.postpone(ref, type(error).__name__)
            return Progress.FAILED
        return Progress.DONE

    def _carry_out(self, task: SyncTask) -> None:
        if task.known is MailchimpStatus.UNKNOWN:
            member = self._look_up(task)
            if _is_answer(task, member):
                return
        if task.wanted is MailchimpStatus.SUBSCRIBED:
            self._subscribe(task)
        else:
            task = record_call(task)
            settle(task, self._mailchimp.unsubscribe(task.subscriber.address), is_change=True)
        log.info("mailchimp ref=%s is %s", task.ref, task.wanted)

    def _look_up(self, task: SyncTask) -> Member | None:
        try:
            return self._mailchimp.look_up(task.subscriber.address)
        except DeliveryFailure as failure:
            # A lookup changes nothing there: its outcome is never unknown.
            raise DeliveryFailure(failure.meaning, failure.reason) from None

    def _subscribe(self, task: SyncTask) -> None:
        task = record_call(task)
        settle(task, self._add(task), is_change=True)

    def _add(self, task: SyncTask) -> MailchimpStatus:
        if task.ref not in self._batches.in_compliance:
            try:
                return self._mailchimp.subscribe(task.subscriber)
            except DeliveryFailure as failure:
                # Nobody is written to, not by Mailchimp either, because they were taken over.
                if failure.reason != COMPLIANCE_STATE or task.is_taken_over:
                    raise
        # They once unsubscribed there themselves: Mailchimp adds them only after asking once more.
        return self._mailchimp.ask_again(task.subscriber)


def _outcome(failure: DeliveryFailure, task: SyncTask | None) -> str:
    """What follows a failure, for the log; unsubscribing is never given up."""
    if failure.meaning is Meaning.HOLD_ALL:
        return "all that is meant for Mailchimp waits"
    is_adding = task is not None and task.wanted is MailchimpStatus.SUBSCRIBED
    return (
        "given up" if failure.meaning is Meaning.GIVE_UP_ONE and is_adding else "tried again later"
    )


def _is_answer(task: SyncTask, member: Member | None) -> bool:
    """Record what the lookup found; False where a call must follow."""
    place = MailchimpStatus.ABSENT if member is None else member.place
    if task.wanted is MailchimpStatus.UNSUBSCRIBED:
        if place in UNSETTLED[MailchimpStatus.UNSUBSCRIBED]:
            return False
        was_ours = (
            task.asked is MailchimpStatus.UNSUBSCRIBED and place is MailchimpStatus.UNSUBSCRIBED
        )
        settle(task, place, is_change=was_ours)
        return True
    if place in (MailchimpStatus.SUBSCRIBED, MailchimpStatus.AWAITING):
        settle(task, place, is_change=task.synced_round != task.round)
        return True
    is_own_doing = task.asked in (MailchimpStatus.UNSUBSCRIBED, MailchimpStatus.UNKNOWN)
    had_left = task.is_taken_over and task.asked is None and member is not None
    if (task.synced_round != task.round and not had_left) or is_own_doing:
        # They unsubscribed before this round's consent, or a late call of ours undid it: the consent counts.
        return False
    reported.found_left(task.ref, task.round, reason_for(member), place)
    return True


def reason_for(member: Member | None) -> Reason:
    """Why somebody is no longer subscribed there."""
    if member is None or member.is_archived:
        return Reason.REMOVED_AT_MAILCHIMP
    if member.is_complaint:
        return Reason.COMPLAINT
    return Reason.BOUNCE if member.is_bounce else Reason.UNSUBSCRIBED
