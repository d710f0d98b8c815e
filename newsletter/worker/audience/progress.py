"""What became of a step at Mailchimp."""

from __future__ import annotations

from enum import StrEnum


class Progress(StrEnum):
    """Tells the loop how to go on."""

    IDLE = "idle"  #: there was nothing to do
    DONE = "done"  #: one is done; there may be more
    FAILED = "failed"  #: one was not done, by itself; there may be more
    STOP = "stop"  #: Mailchimp refuses us altogether
