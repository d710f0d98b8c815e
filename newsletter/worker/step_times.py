"""How long each loop has been in its present step; staff are told of steps that take too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from newsletter.domain import clock
from newsletter.storage import jobs, notices
from newsletter.storage.notices import Code


class StepTimes:
    """`owner_of`: the owner of a loop's leases. `seconds`: a monotonic clock."""

    def __init__(
        self, owner_of: Callable[[str], str], seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._owner_of = owner_of
        self._seconds = seconds
        self._began: dict[str, float] = {}
        self._reported: set[str] = set()

    @contextmanager
    def step_of(self, loop: str) -> Iterator[None]:
        self._began[loop] = self._seconds()
        try:
            yield
        finally:
            del self._began[loop]

    def longer_than(self, seconds: float) -> set[str]:
        """The loops that have been in one step for so long."""
        now = self._seconds()
        # A copy, since other threads change the dict meanwhile.
        return {loop for loop, began in dict(self._began).items() if now - began >= seconds}

    def report(self, seconds: float) -> None:
        """Post a notice for each loop that has been in one step for so long; clear it once the loop goes on."""
        stalled = self.longer_than(seconds)
        for loop in stalled:
            until = clock.now() + jobs.LEASE
            notices.post(Code.LOOP_STALLED, self._owner_of(loop), loop, until)
        for loop in self._reported - stalled:
            notices.clear(Code.LOOP_STALLED, self._owner_of(loop))
        self._reported = stalled
