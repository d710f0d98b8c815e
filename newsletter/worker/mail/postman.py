"""The postman: leases letters, passes them to the connections, and records their outcomes.

It leases many at once, and records together those that were accepted within 30 ms. No transaction is open while a
letter is sent. If the server has a letter and does not reply, a thread waits for the reply while other letters use a
new connection.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from itertools import takewhile
from queue import SimpleQueue

from newsletter.domain import clock
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.storage import holds, outage
from newsletter.storage.call_counts import CallCounter
from newsletter.storage.holds import Permit
from newsletter.worker.mail import copies, leases, outcome, probes
from newsletter.worker.mail.connections import Connections
from newsletter.worker.mail.holds import Holds
from newsletter.worker.mail.leases import Leased
from newsletter.worker.mail.sending import Failed, Needless, NotSent, Outcome, Sent, Slow
from newsletter.worker.mail.smtp import Postbox

log = logging.getLogger(__name__)

MOST_LEASED = 60  #: letters at once; a lease takes as much time as twenty of its letters
MOST_SLOW = 20  #: slow replies at once; then no further letter is sent
LAST_SECONDS = 3.0  #: what the server may take once the worker ends
_NEXT = {
    Meaning.RETRY_LATER: "tried again later",
    Meaning.GIVE_UP_ONE: "given up",
    Meaning.HOLD_ALL: "all letters wait",
}


class Postman:
    """Sends queued letters, over one connection for each postbox."""

    def __init__(self, postboxes: Sequence[Postbox], owner: str) -> None:
        self._connections = Connections(postboxes)
        self._prober = postboxes[0]
        self._owner = owner
        self._is_first = True
        self._leased: dict[str, Leased] = {}  #: whose outcome is not recorded
        self._outcomes: deque[Outcome] = deque()  #: not recorded
        self._slow: dict[str, threading.Thread] = {}
        self._late: SimpleQueue[Outcome] = SimpleQueue()  #: of slow replies
        self._holds = Holds()
        self.calls = CallCounter("mail")

    def step(self) -> bool:
        """Lease letters and record outcomes; True if there may be more to do at once."""
        self._record()
        if self._connections.has_room and len(self._slow) < MOST_SLOW:
            self._lease()
        if not self._connections.busy:
            return False
        self._outcomes += self._connections.collect()
        self._record()
        return True

    def keep_lease(self) -> None:
        """Renew the leases."""
        leases.keep(self._owner, list(self._leased))

    def hurry(self) -> None:
        """Limit the time for the letters in hand, since the worker ends."""
        self._holds.is_ending = True
        self._connections.end(LAST_SECONDS)

    def finish(self) -> None:
        """Record the outcome of the letters that were in hand when the loop ended."""
        ends = time.monotonic() + LAST_SECONDS
        self._record()
        while self._connections.busy and time.monotonic() < ends:
            self._outcomes += self._connections.collect()
            self._record()
        for thread in list(self._slow.values()):
            thread.join(LAST_SECONDS)
        self._record()

    def close(self) -> None:
        """Close the connections to the mail server."""
        self._connections.close()

    def _lease(self) -> None:
        permit = holds.ask_permit("mail", at_start=self._is_first)
        self._is_first = False
        if permit is None:
            return
        if permit is Permit.PROBE:
            leased = probes.lease(self._owner, self._holds.refused_domains)
        else:
            leased = leases.lease(self._owner, MOST_LEASED - self._connections.busy)
        self._leased |= {each.id: each for each in leased}
        self._connections.send(leased)
        if permit is Permit.PROBE and not self._connections.busy:
            self._probe()

    def _probe(self) -> None:
        try:
            self._prober.probe()
        except DeliveryFailure as failure:
            holds.begin("mail", failure.reason)
        else:
            holds.end("mail")

    def _record(self) -> None:
        """Record outcomes; what the database does not accept now is kept for the next step."""
        while not self._late.empty():
            self._outcomes.append(self._late.get())
        while self._outcomes:
            self._record_together(self._next_together())

    def _next_together(self) -> list[Outcome]:
        first = self._outcomes[0]
        if not isinstance(first, Sent | NotSent):
            return [first]
        return list(takewhile(lambda each: type(each) is type(first), self._outcomes))

    def _record_together(self, outcomes: Sequence[Outcome]) -> None:
        try:
            self._record_all(outcomes)
        except Exception as error:
            if outage.is_outage(error):
                raise
            if len(outcomes) > 1:
                # One that cannot be recorded must not cause the others to be sent again.
                for each in outcomes:
                    self._record_together([each])
                return
            # The letter stays queued, as that of a killed worker.
            log.exception("letter ref=%s could not be recorded", outcomes[0].leased.ref)
        for each in outcomes:
            self._outcomes.popleft()
            self._drop(each)
        for each in outcomes:
            if isinstance(each, NotSent) and each.error is not None:
                raise each.error

    def _drop(self, recorded: Outcome) -> None:
        """Renew the lease no longer, unless a reply to the letter is outstanding."""
        if isinstance(recorded, Slow):
            return
        self._leased.pop(recorded.leased.id, None)
        self._slow.pop(recorded.leased.id, None)
        if isinstance(recorded, Failed):
            recorded.recorded.set()

    def _record_all(self, outcomes: Sequence[Outcome]) -> None:
        match outcomes[0]:
            case Sent():
                self._record_sent([each for each in outcomes if isinstance(each, Sent)])
            case NotSent():
                leases.give_back([each.leased for each in outcomes])
            case Failed() as failed:
                self._record_failed(failed)
            case Needless(leased):
                outcome.record_needless(leased)
            case Slow() as slow:
                self._wait_for_reply(slow)

    def _record_sent(self, all_sent: Sequence[Sent]) -> None:
        outcome.record_sent(all_sent)
        now = clock.now()
        for sent in all_sent:
            self.calls.count("sent")
            self._holds.note_success(sent)
            seconds = (now - sent.leased.at).total_seconds()
            number = sent.leased.tries + 1
            log.info("letter ref=%s try=%d sent in %.3f s", sent.leased.ref, number, seconds)

    def _record_failed(self, failed: Failed) -> None:
        leased, failure = failed.leased, failed.failure
        following = "outcome unknown" if failure.outcome_unknown else _NEXT[failure.meaning]
        log.warning(
            "letter ref=%s try=%d failed: %s, %s",
            *(leased.ref, leased.tries + 1, failure.reason, following),
        )
        is_given_up = outcome.record_failure(leased, failure)
        self.calls.count("given_up" if is_given_up else "put_off")
        if self._holds.note_failure(failed):
            self._outcomes += self._connections.recall()

    def _wait_for_reply(self, slow: Slow) -> None:
        if slow.leased.id not in self._slow:
            log.info("letter ref=%s: waiting for the mail server's last reply", slow.leased.ref)
            thread = threading.Thread(
                target=lambda: self._late.put(slow.wait()), name="slow-reply", daemon=True
            )
            self._slow[slow.leased.id] = thread
            thread.start()
        copies.wait_for_reply(slow.leased)
