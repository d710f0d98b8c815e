"""Erases people at Mailchimp: deletes the contact permanently, reads back, and repeats it after any earlier call."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.storage import outage
from newsletter.storage.database import lock, reading, writing
from newsletter.storage.models import Erasure
from newsletter.storage.moments import CARRIED_OUT_WITHIN, SETTLING, has_come, latest
from newsletter.subscriptions import erasures
from newsletter.worker import backoff
from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.progress import Progress, after_failure

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Call:
    """A call that deletes: recorded before it is made, since its outcome is not if the worker is killed."""

    erasure: str
    settles_at: datetime  #: until when it may take effect
    earlier: datetime | None  #: until when earlier ones may

    def end(self, erasure: Erasure) -> None:
        """Its outcome is known; a later call of another worker stays open."""
        if erasure.settles_at == self.settles_at:
            erasure.settles_at = self.earlier


class Erasing:
    def __init__(self, mailchimp: Mailchimp) -> None:
        self._mailchimp = mailchimp

    def step(self) -> Progress:
        """Carry out one erasure at Mailchimp."""
        erasure = _next_due()
        if erasure is None:
            return Progress.IDLE
        id_ = erasure.id
        call = _Call(id_, clock.now() + SETTLING, erasure.settles_at)
        try:
            self._erase(erasure, call)
        except DeliveryFailure as failure:
            log.warning("erasure %s at mailchimp failed: %s", id_, failure.reason)
            is_tried = failure.meaning is not Meaning.HOLD_ALL
            _postpone(call, failure.reason, is_tried=is_tried, may_run_on=failure.outcome_unknown)
            return after_failure(failure)
        except outage.OF_THE_DATABASE:
            raise
        except Exception as error:
            # An erasure with a damaged row must not stop the others.
            log.exception("erasure %s could not be carried out", id_)
            _postpone(call, type(error).__name__, is_tried=True, may_run_on=False)
            return Progress.FAILED
        _settle(call)
        log.info("erasure %s carried out at mailchimp", id_)
        return Progress.DONE

    def _erase(self, erasure: Erasure, call: _Call) -> None:
        address = erasures.address_of(erasure)
        # If the answer of the call that deletes is lost, the next one finds no contact.
        _record(call, is_found=erasure.found_at_mailchimp or self._mailchimp.knows(address))
        self._mailchimp.delete_permanently(address)


def _next_due() -> Erasure | None:
    now = clock.now()
    is_due = has_come(Erasure.try_at, now, backoff.latest_after(Erasure.tries, now))
    # Postponed erasures come after those that wait for their first try.
    turn = func.coalesce(Erasure.try_at, Erasure.requested_at)
    with reading() as session:
        waits = (Erasure.mailchimp_done_at.is_(None), is_due)
        return session.scalar(select(Erasure).where(*waits).order_by(turn, Erasure.id).limit(1))


def _locked(session: Session, id_: str) -> Erasure | None:
    digest = session.scalar(select(Erasure.digest).where(Erasure.id == id_))
    if digest is None:
        return None
    lock(session, digest)
    return session.scalar(select(Erasure).where(Erasure.id == id_).with_for_update())


def _record(call: _Call, *, is_found: bool) -> None:
    with writing() as session:
        erasure = _locked(session, call.erasure)
        if erasure is not None:
            erasure.found_at_mailchimp = is_found
            erasure.settles_at = call.settles_at


def _settle(call: _Call) -> None:
    now = clock.now()
    with writing() as session:
        erasure = _locked(session, call.erasure)
        if erasure is None:
            return
        call.end(erasure)
        if _earlier_call_may_run_on(erasure, now):
            erasure.try_at, erasure.error = erasure.settles_at, "settling"
            return
        erasures.complete_at_mailchimp(erasure, now)


def _earlier_call_may_run_on(erasure: Erasure, now: datetime) -> bool:
    """Whether an earlier call may still take effect: then the contact is deleted once more later."""
    return not has_come(erasure.settles_at, now, latest(now, SETTLING))


def _postpone(call: _Call, reason: str, *, is_tried: bool, may_run_on: bool) -> None:
    with writing() as session:
        erasure = _locked(session, call.erasure)
        if erasure is None:
            return
        call.end(erasure)
        if may_run_on:
            # Carried out late, it would delete the contact of a person who has joined again meanwhile.
            until = clock.now() + CARRIED_OUT_WITHIN
            erasure.settles_at = max(until, erasure.settles_at or until)
        backoff.postpone(erasure, reason, is_tried=is_tried)
