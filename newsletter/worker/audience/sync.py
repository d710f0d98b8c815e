"""The audience loop: brings each person's status at Mailchimp to the wanted one, read from the rows.

People to subscribe are sent in batches (batches.py); whoever needs a lookup or another call gets one of their own. Only
one worker at a time runs this.
"""

from __future__ import annotations

import logging
from collections import deque

from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.domain.lifecycle import UNSETTLED, MailchimpStatus, Reason
from newsletter.storage import holds, outage
from newsletter.storage.runs import reconciliation
from newsletter.subscriptions import reported
from newsletter.worker.audience import due
from newsletter.worker.audience import outcome as settling
from newsletter.worker.audience.batches import Batches
from newsletter.worker.audience.due import Errand, Progress
from newsletter.worker.audience.outcome import MovedOn, announce, settle
from newsletter.worker.mailchimp.client import COMPLIANCE_STATE, Mailchimp, Member

#: How many people get a call of their own before the next batches.
ALONE_AT_ONCE = 100

log = logging.getLogger(__name__)


class Audience:
    def __init__(self, mailchimp: Mailchimp) -> None:
        self._mailchimp = mailchimp
        self._batches = Batches(mailchimp)
        self._waiting: deque[str] = deque()

    def step(self) -> Progress:
        """Sync one person; if none is queued, send batches."""
        is_full_required = reconciliation.is_full_required()
        if is_full_required and not self._waiting:
            # People to be added may have unsubscribed since the backup: the reconciliation finds out first.
            self._waiting.extend(due.waiting(ALONE_AT_ONCE, leaving=True))
        elif not self._waiting:
            progress = self._batches.step()
            is_done = progress is Progress.IDLE
            self._waiting.extend(self._batches.left_over)
            # Unsubscribing must not wait until all batches are sent.
            self._waiting.extend(due.waiting(ALONE_AT_ONCE, alone=not is_done))
            if not is_done:
                return progress
        if not self._waiting:
            return Progress.IDLE
        return self._settle(self._waiting.popleft(), adds=not is_full_required)

    def _settle(self, ref: str, *, adds: bool) -> Progress:
        errand: Errand | None = None
        try:
            errand = due.take(ref)
            if errand is None or not (adds or errand.wanted is MailchimpStatus.UNSUBSCRIBED):
                return Progress.FAILED
            self._carry_out(errand)
        except MovedOn:
            return Progress.FAILED
        except DeliveryFailure as failure:
            outcome = _outcome(failure, errand)
            log.warning("mailchimp ref=%s failed: %s, %s", ref, failure.reason, outcome)
            if errand is not None:
                settling.fail(errand, failure)
            if failure.meaning is not Meaning.HOLD_ALL:
                return Progress.FAILED
            holds.begin("mailchimp", failure.reason)
            self._waiting.clear()
            return Progress.STOP
        except outage.OF_THE_DATABASE:
            raise
        except Exception as error:
            # A person with a damaged row must not stop the others.
            log.exception("mailchimp ref=%s could not be settled", ref)
            settling.postpone(ref, type(error).__name__)
            return Progress.FAILED
        return Progress.DONE

    def _carry_out(self, errand: Errand) -> None:
        if errand.known is MailchimpStatus.UNKNOWN:
            member = self._look_up(errand)
            if _is_answer(errand, member):
                return
        if errand.wanted is MailchimpStatus.SUBSCRIBED:
            self._subscribe(errand)
        else:
            errand = announce(errand)
            settle(errand, self._mailchimp.unsubscribe(errand.joining.address), is_change=True)
        log.info("mailchimp ref=%s is %s", errand.ref, errand.wanted)

    def _look_up(self, errand: Errand) -> Member | None:
        try:
            return self._mailchimp.look_up(errand.joining.address)
        except DeliveryFailure as failure:
            # A lookup changes nothing there: its outcome is never unknown.
            raise DeliveryFailure(failure.meaning, failure.reason) from None

    def _subscribe(self, errand: Errand) -> None:
        errand = announce(errand)
        settle(errand, self._add(errand), is_change=True)

    def _add(self, errand: Errand) -> MailchimpStatus:
        if errand.ref not in self._batches.in_compliance:
            try:
                return self._mailchimp.subscribe(errand.joining)
            except DeliveryFailure as failure:
                # Nobody is written to, not by Mailchimp either, because they were taken over.
                if failure.reason != COMPLIANCE_STATE or errand.is_taken_over:
                    raise
        # They once unsubscribed there themselves: Mailchimp adds them only after asking once more.
        return self._mailchimp.ask_again(errand.joining)


def _outcome(failure: DeliveryFailure, errand: Errand | None) -> str:
    """What follows a failure, for the log; unsubscribing is never given up."""
    if failure.meaning is Meaning.HOLD_ALL:
        return "all that is meant for Mailchimp waits"
    is_adding = errand is not None and errand.wanted is MailchimpStatus.SUBSCRIBED
    return (
        "given up" if failure.meaning is Meaning.GIVE_UP_ONE and is_adding else "tried again later"
    )


def _is_answer(errand: Errand, member: Member | None) -> bool:
    """Record what the lookup found; False where a call must follow."""
    place = MailchimpStatus.ABSENT if member is None else member.place
    if errand.wanted is MailchimpStatus.UNSUBSCRIBED:
        if place in UNSETTLED[MailchimpStatus.UNSUBSCRIBED]:
            return False
        was_ours = (
            errand.asked is MailchimpStatus.UNSUBSCRIBED and place is MailchimpStatus.UNSUBSCRIBED
        )
        settle(errand, place, is_change=was_ours)
        return True
    if place in (MailchimpStatus.SUBSCRIBED, MailchimpStatus.AWAITING):
        settle(errand, place, is_change=errand.synced_round != errand.round)
        return True
    is_own_doing = errand.asked in (MailchimpStatus.UNSUBSCRIBED, MailchimpStatus.UNKNOWN)
    had_left = errand.is_taken_over and errand.asked is None and member is not None
    if (errand.synced_round != errand.round and not had_left) or is_own_doing:
        # They unsubscribed before this round's consent, or a late call of ours undid it: the consent counts.
        return False
    reported.found_left(errand.ref, errand.round, reason_for(member), place)
    return True


def reason_for(member: Member | None) -> Reason:
    """Why somebody is no longer subscribed there."""
    if member is None or member.is_archived:
        return Reason.REMOVED_AT_MAILCHIMP
    if member.is_complaint:
        return Reason.COMPLAINT
    return Reason.BOUNCE if member.is_bounce else Reason.UNSUBSCRIBED
