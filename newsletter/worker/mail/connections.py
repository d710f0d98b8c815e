"""Connections to the mail server: each has a thread, which sends one letter after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from flask import Flask, current_app

from newsletter.domain.errors import Meaning
from newsletter.worker.mail import sending
from newsletter.worker.mail.leases import Leased
from newsletter.worker.mail.sending import Failed, NotSent, Outcome, Sent
from newsletter.worker.mail.smtp import Postbox

log = logging.getLogger(__name__)

#: Letters that may have left and whose outcome is not recorded; a killed worker sends no more of them twice.
MOST_IN_HAND = 20
WITHIN_SECONDS = 0.03  #: in which outcomes are collected, from the first of them
#: Without an outcome; then other workers get the letters that were not begun.
PATIENCE_SECONDS = 1.0
PAUSE_SECONDS = 60.0  #: of a connection that the server did not accept beside the others
_CLOSE_SECONDS = 2.0


class Connections:
    """One for each postbox, opened when it is first needed. All methods but `end` belong to one thread."""

    def __init__(self, postboxes: Sequence[Postbox]) -> None:
        self._postboxes = postboxes
        self._threads: list[threading.Thread] = []
        self._stock: deque[Leased] = deque()  #: passed to no thread
        self._waiting: SimpleQueue[Leased | None] = SimpleQueue()
        self._in_hand = 0  #: letters passed to the threads whose outcome was not collected
        self._ended: SimpleQueue[Outcome] = SimpleQueue()
        self._working: set[Postbox] = set()  #: the server accepts their letters
        self._paused: set[Postbox] = set()
        self._is_ending = False
        self._closing = threading.Event()

    @property
    def busy(self) -> int:
        """Letters whose outcome was not collected."""
        return len(self._stock) + self._in_hand

    @property
    def has_room(self) -> bool:
        """A connection is idle, and another letter may be begun."""
        return self.busy < len(self._postboxes) - len(self._paused) and not self._is_ending

    def send(self, all_leased: Sequence[Leased]) -> None:
        """Pass letters to the connections; `collect` returns their outcomes."""
        self._stock += all_leased
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        for postbox in self._postboxes[len(self._threads) : self.busy]:
            thread = threading.Thread(
                target=self._serve, args=(app, postbox), name="connection", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def collect(self) -> list[Outcome]:
        """Wait for outcomes: for 20, or 30 ms from the first; no longer once a letter has failed.

        Those that were collected before must have been recorded.
        """
        while self._stock and self._in_hand < MOST_IN_HAND:
            self._waiting.put(self._stock.popleft())
            self._in_hand += 1
        outcomes: list[Outcome] = []
        seconds, ends = PATIENCE_SECONDS, 0.0
        while len(outcomes) < self._in_hand:
            try:
                outcomes.append(self._ended.get(timeout=seconds))
            except Empty:
                break
            if not isinstance(outcomes[-1], Sent):
                break
            now = time.monotonic()
            ends = ends or now + WITHIN_SECONDS
            seconds = max(0.0, ends - now)
        self._in_hand -= len(outcomes)
        return outcomes or self.recall()

    def recall(self) -> list[Outcome]:
        """Take back the letters that were not begun."""
        outcomes: list[Outcome] = []
        with suppress(Empty):
            while (leased := self._waiting.get_nowait()) is not None:
                outcomes.append(NotSent(leased))
        self._in_hand -= len(outcomes)
        outcomes += map(NotSent, self._stock)
        self._stock.clear()
        return outcomes

    def end(self, seconds: float) -> None:
        """Begin no further letter, and limit those that were begun to so many seconds."""
        self._is_ending = True
        for postbox in self._postboxes:
            postbox.end_within(seconds)

    def close(self) -> None:
        """Close the connections."""
        self._closing.set()
        for _ in self._threads:
            self._waiting.put(None)
        ends = time.monotonic() + _CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        for postbox in self._postboxes:
            postbox.close()

    def _serve(self, app: Flask, postbox: Postbox) -> None:
        with app.app_context():
            for leased in iter(self._waiting.get, None):
                outcome = NotSent(leased) if self._is_ending else sending.send(postbox, leased)
                if isinstance(outcome, Sent):
                    self._working.add(postbox)
                if not isinstance(outcome, Failed):
                    self._ended.put(outcome)
                elif self._is_one_too_many(postbox, outcome):
                    self._paused.add(postbox)
                    self._ended.put(NotSent(leased))
                    self._closing.wait(PAUSE_SECONDS)
                    self._paused.discard(postbox)
                else:
                    self._ended.put(outcome)
                    # Its consequence may be that all letters wait.
                    outcome.recorded.wait()

    def _is_one_too_many(self, postbox: Postbox, failed: Failed) -> bool:
        """The server refuses this connection while it accepts others: it limits their number."""
        if failed.failure.meaning is not Meaning.HOLD_ALL:
            return False
        self._working.discard(postbox)
        if not self._working or self._is_ending:
            return False
        log.warning(
            "the mail server accepts no further connection: %s; %d are used for %.0f s",
            *(failed.failure.reason, len(self._working), PAUSE_SECONDS),
        )
        return True
