"""A worker that was left out of a key change: its DATA_KEY does not open the keyring.

Where a newer key encrypts or signs, it can do nothing, and does not count as alive. Either way, a lease in Job lets
staff know on every host, and ends by itself where the worker does.
"""

from __future__ import annotations

from newsletter.domain.errors import WrongDataKey
from newsletter.storage import jobs
from newsletter.storage.keys import keyring

JOB = "left out"
WRONG = "the DATA_KEY of one does not open the keyring"
REMEDY = "put the one that does into its list, and restart it (docs/keys.md)"


class Word:
    """What one worker leaves word of."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._is_left = False

    def leave(self) -> None:
        """Let staff know for as long as it is so; raise WrongDataKey where the worker can do nothing."""
        try:
            is_left_out = keyring.current().is_left_out
        except WrongDataKey:
            self._leave()
            raise
        if is_left_out:
            self._leave()
        elif self._is_left:
            jobs.give_back(JOB, self._owner)
            self._is_left = False

    def _leave(self) -> None:
        jobs.take(JOB, self._owner)
        self._is_left = True


def is_any() -> bool:
    """Tell whether any worker was left out."""
    return jobs.is_taken(JOB)
