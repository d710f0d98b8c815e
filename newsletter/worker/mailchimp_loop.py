"""The loop that calls Mailchimp: erasures, people, inquiries and reconciliation in turns, unless it is on hold."""

from __future__ import annotations

from collections import deque

from newsletter.domain.errors import DeliveryFailure
from newsletter.storage import holds, jobs
from newsletter.storage.holds import Permit
from newsletter.worker.audience.erasing import Erasing
from newsletter.worker.audience.inquiries import Inquiries
from newsletter.worker.audience.sync import AudienceSync
from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.progress import Progress
from newsletter.worker.reconcile.nightly import NightlyReconciliation


class MailchimpLoop:
    """One worker at a time."""

    def __init__(
        self, mailchimp: Mailchimp, owner: str, nightly: NightlyReconciliation | None = None
    ) -> None:
        self._mailchimp = mailchimp
        self._owner = owner
        self._nightly = nightly
        self._turns = deque(
            [Erasing(mailchimp).step, AudienceSync(mailchimp).step, Inquiries(mailchimp).step]
        )
        if nightly is not None:
            self._turns.append(nightly.step)
        self._is_first = True

    def step(self) -> bool:
        """Do one thing at Mailchimp; True if there may be more to do at once."""
        permit = self._permit()
        if permit is not Permit.FREE and self._nightly is not None:
            self._nightly.drop()
        if permit is None:
            return False
        progress = self._take_turns()
        if progress is Progress.DONE and permit is Permit.PROBE:
            holds.end("mailchimp")
        elif progress is Progress.IDLE and permit is Permit.PROBE:
            self._probe()
        return progress in (Progress.DONE, Progress.FAILED)

    def _permit(self) -> Permit | None:
        """Permission to call Mailchimp; None while another worker has the lease, or while it is on hold."""
        if not jobs.take("audience", self._owner):
            return None
        is_first, self._is_first = self._is_first, False
        return holds.ask_permit("mailchimp", at_start=is_first)

    def _take_turns(self) -> Progress:
        """An erasure, then people, then a page of the audience, so that none waits for all of another kind."""
        progress = Progress.IDLE
        for _ in range(len(self._turns)):
            turn = self._turns[0]
            self._turns.rotate(-1)
            progress = turn()
            if progress is not Progress.IDLE:
                break
        return progress

    def _probe(self) -> None:
        try:
            self._mailchimp.check_list()
        except DeliveryFailure as failure:
            holds.begin("mailchimp", failure.reason)
        else:
            holds.end("mailchimp")
