"""Sends one letter, outside of any transaction; its outcome is recorded later (outcome.py)."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from functools import partial

from newsletter import config
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.storage import outage
from newsletter.texts import merge
from newsletter.texts.letters import Finished, LetterValues
from newsletter.worker.mail import contents, copies
from newsletter.worker.mail.copies import MOST_COPIES
from newsletter.worker.mail.leases import Leased
from newsletter.worker.mail.refusals import domain_of
from newsletter.worker.mail.smtp import Postbox, SlowReply

log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class Sent:
    """The mail server accepted the letter."""

    leased: Leased
    values: LetterValues
    letter: Finished
    reply: str


@dataclass(frozen=True, repr=False)
class Slow:
    """The mail server has the letter, and has not replied yet."""

    leased: Leased
    values: LetterValues
    letter: Finished
    awaited: SlowReply

    def wait(self) -> Sent | Failed:
        """Wait for the reply."""
        try:
            return Sent(self.leased, self.values, self.letter, self.awaited.wait())
        except DeliveryFailure as failure:
            return Failed(self.leased, failure, domain_of(self.values.recipient))


@dataclass(frozen=True, repr=False)
class Failed:
    """The letter was not accepted, or that is unknown; `domain` is the recipient's, empty if it was not read."""

    leased: Leased
    failure: DeliveryFailure
    domain: str = ""
    recorded: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, repr=False)
class Needless:
    """The letter answers no open request any more."""

    leased: Leased


@dataclass(frozen=True, repr=False)
class NotSent:
    """The letter certainly did not leave: it was not begun, or the database or its keyring was away (`error`)."""

    leased: Leased
    error: Exception | None = None


Outcome = Sent | Slow | Failed | Needless | NotSent


def send(postbox: Postbox, leased: Leased) -> Outcome:
    """Send a letter; raise nothing."""
    if leased.copies >= MOST_COPIES:
        unknown = DeliveryFailure(Meaning.RETRY_LATER, "worker_ended", outcome_unknown=True)
        return Failed(leased, unknown)
    domain = ""
    try:
        values = contents.values_of(leased)
        if values is None:
            return Needless(leased)
        domain = domain_of(values.recipient)
        letter = merge.finish(values, config.current())
        reply = postbox.send(letter, partial(copies.may_finish, leased))
    except DeliveryFailure as failure:
        return Failed(leased, failure, domain)
    except Exception as error:
        if outage.is_outage(error):
            return NotSent(leased, error)
        # A letter that cannot be written must not stop the others.
        log.exception("letter ref=%s could not be sent", leased.ref)
        return Failed(leased, DeliveryFailure(Meaning.RETRY_LATER, type(error).__name__))
    if isinstance(reply, str):
        return Sent(leased, values, letter, reply)
    return Slow(leased, values, letter, reply)
