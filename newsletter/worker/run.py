"""The worker: a thread for each loop, and a heartbeat that renews their leases.

A loop whose step takes too long is reported to staff, and then loses its leases, so that another worker takes over.
"""

from __future__ import annotations

import logging
import secrets
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from types import FrameType

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from newsletter.domain.errors import RestoredDatabase, Unavailable
from newsletter.storage import jobs, outage
from newsletter.storage.keys import keyring, stale_worker
from newsletter.storage.outage_log import OutageLog
from newsletter.worker.mail.postman import Postman
from newsletter.worker.mail.smtp import postbox_for
from newsletter.worker.mailchimp.client import client_for
from newsletter.worker.mailchimp.listing import MailchimpMembers
from newsletter.worker.mailchimp_loop import MailchimpLoop
from newsletter.worker.reconcile.nightly import NightlyReconciliation
from newsletter.worker.step_times import StepTimes
from newsletter.worker.upkeep.checkpoints import Checkpoints
from newsletter.worker.upkeep.housekeeping import Housekeeping
from newsletter.worker.upkeep.mail_servers import MailServers
from newsletter.worker.upkeep.old_keys import OldKeys
from newsletter.worker.upkeep.retention import Retention
from newsletter.worker.upkeep.sealer import Sealer
from newsletter.worker.upkeep.sqlite_file import Cleaning
from newsletter.worker.upkeep.verifier import Verifier

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
TROUBLE_SECONDS = 2.0
TIDY_SECONDS = 1.0
UNHURRIED_SECONDS = 5.0  #: where nobody waits for what is done
LOOK_SECONDS = 60.0  #: how often the nightly run checks whether it is due
GRACE_SECONDS = 8.0
STALLED_SECONDS = 60.0  #: a longer step is reported to staff
#: A longer step loses its leases. One person may take four calls to Mailchimp, which are shorter together.
LONGEST_STEP_SECONDS = 150.0

Step = Callable[[], bool]


@dataclass(frozen=True)
class Loop:
    """A step that is repeated; it returns whether there may be more work at once."""

    name: str
    step: Step
    idle_seconds: float  #: to wait where there was no work


class Worker:
    """Runs the loops until a signal; then it finishes the present steps. `seconds`: a monotonic clock."""

    def __init__(self, app: Flask, seconds: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._owner = secrets.token_hex(8)
        self._step_times = StepTimes(self._owner_of, seconds)
        self._stopping = threading.Event()
        self._outage = OutageLog()
        settings = app.extensions["settings"]
        postboxes = [postbox_for(settings) for _ in range(settings.smtp_connections)]
        self._postman = Postman(postboxes, self._owner_of("postman"))
        self._mailchimp = client_for(settings, MailchimpMembers)
        self._checkpoints = Checkpoints()
        self.restored: RestoredDatabase | None = None  #: why the worker ended by itself
        self.loops = [
            Loop("postman", self._postman.step, IDLE_SECONDS),
            Loop("housekeeping", Housekeeping().step, UNHURRIED_SECONDS),
            Loop("cleaning", Cleaning().step, TIDY_SECONDS),
            Loop("retention", Retention(self._owner_of("retention")).step, LOOK_SECONDS),
            Loop("sealer", Sealer(self._owner_of("sealer")).step, TIDY_SECONDS),
            Loop("checkpoints", self._checkpoints.step, TIDY_SECONDS),
            Loop("verifier", Verifier(self._owner_of("verifier")).step, UNHURRIED_SECONDS),
            Loop("mail servers", MailServers().step, TIDY_SECONDS),
            Loop("keys", OldKeys(self._owner_of("keys")).step, UNHURRIED_SECONDS),
        ]
        if self._mailchimp is not None:
            owner = self._owner_of("audience")
            nightly = NightlyReconciliation(self._mailchimp, owner)
            mailchimp_loop = MailchimpLoop(self._mailchimp, owner, nightly)
            self.loops.append(Loop("audience", mailchimp_loop.step, IDLE_SECONDS))

    def _owner_of(self, loop: str) -> str:
        """The owner of a loop's leases."""
        return f"{self._owner} {loop}"

    def drain(self) -> None:
        """Take steps in turns until no loop has work."""
        with self._app.app_context():
            idle = 0
            for loop in cycle(self.loops):
                idle = 0 if self._take(loop) else idle + 1
                if idle == len(self.loops):
                    return

    def run(self) -> bool:
        """Work until SIGTERM or SIGINT, or until the database is found `restored`; then end within ten seconds.

        False: a step hangs, such as at a server that does not answer. Its lease ends by itself, and another worker
        takes over.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        loops = [*self.loops, Loop("heartbeat", self._beat, jobs.BEAT_SECONDS)]
        threads = [
            threading.Thread(target=self._run, args=(loop,), name=loop.name, daemon=True)
            for loop in loops
        ]
        for thread in threads:
            thread.start()
        log.info("worker %s has started", self._owner)
        self._stopping.wait()
        log.info("worker %s finishes what is in hand", self._owner)
        self._postman.hurry()
        ends = time.monotonic() + GRACE_SECONDS
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            return False
        leaving = threading.Thread(target=self._leave, name="leaving", daemon=True)
        leaving.start()
        leaving.join(max(0.0, ends - time.monotonic()))
        return not leaving.is_alive()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        # In another thread: this one may hold the event's lock while it waits, and the lock is not reentrant.
        threading.Thread(target=self._stopping.set, name="stopping", daemon=True).start()

    def _run(self, loop: Loop) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self._step(loop))

    def _step(self, loop: Loop) -> float:
        """Take one step; the seconds to wait until the next."""
        try:
            with self._step_times.step_of(loop.name), self._app.app_context():
                seconds = 0.0 if self._take(loop) else loop.idle_seconds
        except RestoredDatabase as error:
            self.restored = error
            self._stopping.set()
            return 0.0
        except Exception as error:
            if outage.is_outage(error):
                with self._app.app_context():
                    self._outage.record_failure(loop.name, outage.trouble_of(error))
            else:
                log.exception("%s stumbled and goes on", loop.name)
            return TROUBLE_SECONDS
        self._outage.record_success(loop.name)
        return seconds

    def _take(self, loop: Loop) -> bool:
        """Take a step. Raise RestoredDatabase.

        Raise WrongDataKey where this worker does not have the newest DATA_KEY: it would hold leases that it cannot use,
        and give up letters and people that other workers can decrypt. The heartbeat goes on.
        """
        if loop.step == self._beat:
            return loop.step()
        keyring.current()
        self._checkpoints.check_at_start()
        return loop.step()

    def _beat(self) -> bool:
        stale_worker.report(self._owner)
        hung = self._step_times.longer_than(LONGEST_STEP_SECONDS)
        jobs.beat(self._owner, except_for=[self._owner_of(loop) for loop in hung])
        self._step_times.report(STALLED_SECONDS)
        self._postman.keep_lease()
        self._store_counts()
        return False

    def _store_counts(self) -> None:
        self._postman.calls.store()
        if self._mailchimp is not None:
            self._mailchimp.calls.store()

    def _leave(self) -> None:
        with suppress(SQLAlchemyError, Unavailable), self._app.app_context():
            self._postman.finish()
        self.close()
        with suppress(SQLAlchemyError, Unavailable), self._app.app_context():
            jobs.leave(self._owner)
            self._store_counts()

    def close(self) -> None:
        """Close the connections to the mail server and Mailchimp."""
        self._postman.close()
        if self._mailchimp is not None:
            self._mailchimp.close()
