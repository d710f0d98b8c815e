"""What a step at Mailchimp led to."""

from __future__ import annotations

from enum import StrEnum

from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.storage import holds


class Progress(StrEnum):
    """The result of a step at Mailchimp."""

    IDLE = "idle"  #: there was nothing to do
    DONE = "done"  #: there may be more
    FAILED = "failed"  #: this one failed; there may be more
    STOP = "stop"  #: Mailchimp is on hold


def after_failure(failure: DeliveryFailure) -> Progress:
    """Put Mailchimp on hold if it refuses all calls; say how to go on."""
    if failure.meaning is not Meaning.HOLD_ALL:
        return Progress.FAILED
    holds.begin("mailchimp", failure.reason)
    return Progress.STOP
