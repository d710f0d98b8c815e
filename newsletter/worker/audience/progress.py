"""The result of a step at Mailchimp."""

from __future__ import annotations

from enum import StrEnum


class Progress(StrEnum):
    IDLE = "idle"  #: there was nothing to do
    DONE = "done"  #: there may be more
    FAILED = "failed"  #: this one failed; there may be more
    STOP = "stop"  #: Mailchimp is on hold
