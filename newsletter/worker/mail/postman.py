"""The postman: leases a letter, sends it outside of any transaction, and records the outcome.

If the server has a letter and does not reply, a thread waits for the reply while other letters use a new connection.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from functools import partial

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.errors import DeliveryFailure, Meaning, UnsafeLetter
from newsletter.storage import jobs, notices, outage
from newsletter.storage.call_counts import Tally
from newsletter.storage.jobs import Permit
from newsletter.storage.notices import Code
from newsletter.texts import letters
from newsletter.texts.letters import LetterValues
from newsletter.worker.mail import contents, leases, outcome
from newsletter.worker.mail.leases import MOST_COPIES, Leased, domain_of
from newsletter.worker.mail.refusals import Refusals
from newsletter.worker.mail.replies import Refused
from newsletter.worker.mail.smtp import Postbox, SlowReply

log = logging.getLogger(__name__)

MOST_SLOW = 20  #: slow replies at once; then no further letter is sent
LAST_SECONDS = 3.0  #: what the server may take once the worker ends
_NEXT = {
    Meaning.RETRY_LATER: "tried again later",
    Meaning.GIVE_UP_ONE: "given up",
    Meaning.HOLD_ALL: "all letters wait",
}
_NOTICE_LASTS = timedelta(days=7)  #: about a letter that was unsafe to send

Settle = Callable[[], None]


class Postman:
    """Sends queued letters, one at a time."""

    def __init__(self, postbox: Postbox, owner: str) -> None:
        self._postbox = postbox
        self._owner = owner
        self._is_first = True
        self._in_hand: dict[str, threading.Thread | None] = {}  #: with the thread of a slow reply
        self._ended: deque[tuple[Leased, Settle]] = deque()
        self._refusals = Refusals()
        self.tally = Tally("mail")
        self._is_ending = False

    def step(self) -> bool:
        """Send one letter; True if there may be more to send at once."""
        self._settle_ended()
        if len(self._in_hand) >= MOST_SLOW:
            return False
        permit = jobs.ask_permit("mail", at_start=self._is_first)
        self._is_first = False
        if permit is None:
            return False
        if permit is Permit.PROBE:
            leased = leases.lease_probe(self._owner, self._refusals.domains)
        else:
            leased = leases.lease(self._owner)
        if leased is None:
            if permit is Permit.PROBE:
                self._probe()
            return False
        self._in_hand[leased.letter] = None
        try:
            settle = self._send(leased)
        except BaseException:
            del self._in_hand[leased.letter]
            raise
        if settle is not None:
            self._ended.append((leased, settle))
            self._settle_ended()
        return True

    def keep_lease(self) -> None:
        """Renew the leases of the letters in hand."""
        leases.keep(self._owner, list(self._in_hand))

    def hurry(self) -> None:
        """Limit the time for the letters in hand, since the worker ends."""
        self._is_ending = True
        self._postbox.end_within(LAST_SECONDS)

    def finish(self) -> None:
        """Record the outcome of the letters that were in hand when the loop ended."""
        for waiting in list(self._in_hand.values()):
            if waiting is not None:
                waiting.join(LAST_SECONDS)
        self._settle_ended()

    def close(self) -> None:
        """Close the connection to the mail server."""
        self._postbox.close()

    def _probe(self) -> None:
        try:
            self._postbox.probe()
        except DeliveryFailure as failure:
            jobs.hold("mail", failure.reason)
        else:
            jobs.release("mail")

    def _send(self, leased: Leased) -> Settle | None:
        """Send a letter and return how to record the outcome; None while a thread waits for a slow reply."""
        if leased.copies >= MOST_COPIES:
            unknown = DeliveryFailure(Meaning.RETRY_LATER, "worker_ended", outcome_unknown=True)
            return partial(self._settle_failed, leased, unknown)
        domain = ""
        try:
            values = contents.values_of(leased.letter)
            if values is None:
                return partial(outcome.record_needless, leased)
            domain = domain_of(values.recipient)
            letter = letters.finish(values, config.current())
            reply = self._postbox.send(letter, partial(leases.record_copy, leased))
        except DeliveryFailure as failure:
            return partial(self._settle_failed, leased, failure, domain)
        except outage.OF_THE_DATABASE:
            raise
        except Exception as error:
            # A letter that cannot be written must not stop the others.
            log.exception("letter ref=%s could not be sent", leased.ref)
            wrong = DeliveryFailure(Meaning.RETRY_LATER, type(error).__name__)
            return partial(self._settle_failed, leased, wrong)
        settle_sent = partial(self._settle_sent, leased, values, letter.message)
        if isinstance(reply, str):
            return partial(settle_sent, reply)
        self._wait_in_thread(leased, reply, domain, settle_sent)
        return None

    def _wait_in_thread(
        self, leased: Leased, reply: SlowReply, domain: str, settle_sent: Callable[[str], None]
    ) -> None:
        def wait() -> None:
            try:
                settle = partial(settle_sent, reply.wait())
            except DeliveryFailure as failure:
                settle = partial(self._settle_failed, leased, failure, domain)
            self._ended.append((leased, settle))

        log.info("letter ref=%s: waiting for the mail server's last reply", leased.ref)
        thread = threading.Thread(target=wait, name="slow-reply", daemon=True)
        self._in_hand[leased.letter] = thread
        thread.start()

    def _settle_ended(self) -> None:
        """Record outcomes; what the database does not accept now is kept for the next step."""
        while self._ended:
            leased, settle = self._ended[0]
            try:
                settle()
            except Exception as error:
                if outage.is_outage(error):
                    raise
                # The letter stays queued with an unknown outcome.
                log.exception("letter ref=%s could not be settled", leased.ref)
            self._ended.popleft()
            self._in_hand.pop(leased.letter, None)

    def _settle_sent(
        self, leased: Leased, values: LetterValues, message: EmailMessage, reply: str
    ) -> None:
        outcome.record_sent(leased, values, message, reply)
        self.tally.note("sent")
        self._refusals.end(domain_of(values.recipient))
        if leased.is_probe:
            jobs.release("mail")
        seconds = (clock.now() - leased.at).total_seconds()
        log.info("letter ref=%s try=%d sent in %.3f s", leased.ref, leased.tries + 1, seconds)

    def _settle_failed(self, leased: Leased, failure: DeliveryFailure, domain: str = "") -> None:
        following = "outcome unknown" if failure.outcome_unknown else _NEXT[failure.meaning]
        log.warning(
            "letter ref=%s try=%d failed: %s, %s",
            *(leased.ref, leased.tries + 1, failure.reason, following),
        )
        is_given_up = outcome.record_failure(leased, failure)
        self.tally.note("given_up" if is_given_up else "put_off")
        is_unsafe = isinstance(failure, UnsafeLetter)
        if is_unsafe and failure.meaning is Meaning.GIVE_UP_ONE:
            notices.post(Code.LETTER_UNSAFE, detail=leased.ref, until=clock.now() + _NOTICE_LASTS)
        if isinstance(failure, Refused) and leased.tries == 0:
            # A letter that was refused before adds nothing new.
            self._refusals.add(domain)
        if self._refuses_all(leased, failure):
            jobs.hold("mail", failure.reason)
        elif leased.is_probe and (
            isinstance(failure, Refused)
            or (failure.meaning is Meaning.GIVE_UP_ONE and not is_unsafe)
        ):
            # The refusal is about this letter: the server accepts others again.
            jobs.release("mail")

    def _refuses_all(self, leased: Leased, failure: DeliveryFailure) -> bool:
        if failure.meaning is Meaning.HOLD_ALL:
            # A wait that the end of the worker cut short says nothing about the server.
            return not self._is_ending
        if not isinstance(failure, Refused):
            return False
        held_for = (jobs.hold_reason("mail") or "") if leased.is_probe else ""
        # The hold is because of refused letters, and one more was refused.
        goes_on = held_for.startswith(("rcpt", "data"))
        return goes_on or self._refusals.are_about_us
