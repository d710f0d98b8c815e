"""The audience loop: brings each person's place at Mailchimp to what is wanted. A state, not a stream of commands.

Before a call the row says `unknown`, what is asked, and until when Mailchimp may carry it out; so a process that dies,
or an erasure that comes in between, knows what may still happen there. Only one worker at a time runs this.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from newsletter import clock, heard, jobs, ledger
from newsletter.address import Address
from newsletter.database import lock, reading, writing
from newsletter.delivery import backoff
from newsletter.delivery.mailchimp import Mailchimp, Member
from newsletter.delivery.progress import Progress
from newsletter.errors import DeliveryFailure, Meaning
from newsletter.lifecycle import UNSETTLED, Event, Reason, Status, There, wanted_there
from newsletter.models import Erasure, Subscription
from newsletter.person import address_of, commitment_of, drop_needless_address

log = logging.getLogger(__name__)

#: Mailchimp itself gives up on a call after 120 s; until then a call that timed out here may be carried out there.
CARRIED_OUT_WITHIN = timedelta(seconds=120)
LONGEST_CALL = timedelta(seconds=60)


@dataclass(frozen=True)
class Errand:
    """One person whose place at Mailchimp is not the wanted one, as they stood when they were taken."""

    ref: str
    digest: bytes
    round: int
    address: Address
    wanted: There
    known: There
    language: str
    signed_up_at: datetime
    confirmed_at: datetime
    synced_round: int | None
    #: An earlier call of unknown outcome: what it asked for, and until when it may be carried out.
    asked: There | None
    settles_at: datetime | None
    taken_at: datetime

    @property
    def may_be_undone(self) -> bool:
        """Tell whether an earlier call may still be carried out that wanted something else."""
        is_open = self.settles_at is not None and self.settles_at > self.taken_at
        return is_open and self.asked is not self.wanted


class Audience:
    """Takes one person at a time and settles their place at Mailchimp."""

    def __init__(self, mailchimp: Mailchimp) -> None:
        self._mailchimp = mailchimp

    def step(self) -> Progress:
        """Settle one person."""
        errand = _take()
        if errand is None:
            return Progress.IDLE
        try:
            self._carry_out(errand)
        except DeliveryFailure as failure:
            log.warning(
                "mailchimp ref=%s %s failed: %s (%s)",
                *(errand.ref, errand.wanted, failure.reason, failure.meaning),
            )
            self._fail(errand, failure)
            return Progress.STOP if failure.meaning is Meaning.WHOLE else Progress.FAILED
        except Exception as error:
            # One person whose row is odd must not stop the rest.
            log.exception("mailchimp ref=%s could not be settled", errand.ref)
            reason = type(error).__name__
            self._fail(errand, DeliveryFailure(Meaning.PASSING, reason, outcome_unknown=True))
            return Progress.FAILED
        seconds = (clock.now() - errand.taken_at).total_seconds()
        log.info("mailchimp ref=%s %s in %.3f s", errand.ref, errand.wanted, seconds)
        return Progress.DONE

    def _carry_out(self, errand: Errand) -> None:
        if errand.known is There.UNKNOWN:
            member = self._mailchimp.look_up(errand.address)
            if self._is_answer(errand, member):
                return
        if errand.wanted is There.SUBSCRIBED:
            self._subscribe(errand)
        else:
            _settle(errand, self._mailchimp.unsubscribe(errand.address), is_change=True)

    def _is_answer(self, errand: Errand, member: Member | None) -> bool:
        """Take what stands there for an answer where it is one, or tell that a call must follow."""
        place = There.ABSENT if member is None else member.place
        was_ours = errand.asked is errand.wanted
        if errand.wanted is There.UNSUBSCRIBED:
            if place not in UNSETTLED[There.UNSUBSCRIBED]:
                _settle(errand, place, is_change=was_ours and place is There.UNSUBSCRIBED)
                return True
            return False
        if place in (There.SUBSCRIBED, There.AWAITING):
            _settle(errand, place, is_change=errand.synced_round != errand.round)
            return True
        is_own_doing = errand.asked is There.UNSUBSCRIBED
        if errand.synced_round != errand.round or is_own_doing:
            # They left before this round's consent, or a late call of ours undid it: the consent counts.
            return False
        heard.found_left(errand.ref, errand.round, _reason_for(member), place)
        return True

    def _subscribe(self, errand: Errand) -> None:
        try:
            place = self._add(self._mailchimp.subscribe, errand)
        except DeliveryFailure as failure:
            if failure.reason != "compliance_state":
                raise
            # They once left there by themselves: Mailchimp takes them back only after asking once more.
            place = self._add(self._mailchimp.ask_again, errand)
        _settle(errand, place, is_change=True)

    def _add(self, call: Callable[..., There], errand: Errand) -> There:
        return call(
            errand.address,
            language=errand.language,
            signed_up_at=errand.signed_up_at,
            confirmed_at=errand.confirmed_at,
        )

    def _fail(self, errand: Errand, failure: DeliveryFailure) -> None:
        with writing() as session:
            row = _row(session, errand)
            if row is not None:
                _note_failure(session, row, errand, failure)
        if failure.meaning is Meaning.WHOLE:
            jobs.hold("mailchimp", failure.reason)


def _reason_for(member: Member | None) -> Reason:
    if member is None or member.is_archived:
        return Reason.REMOVED_AT_MAILCHIMP
    if member.is_complaint:
        return Reason.COMPLAINT
    return Reason.BOUNCE if member.is_bounce else Reason.UNSUBSCRIBED


def _take() -> Errand | None:
    """Take the person who has waited longest, and write down that a call is coming."""
    now = clock.now()
    condition = _unsettled(now)
    with reading() as session:
        digest = session.scalar(
            select(Subscription.digest).where(condition).order_by(Subscription.since).limit(1)
        )
    if digest is None:
        return None
    with writing() as session:
        lock(session, digest)
        query = select(Subscription).where(Subscription.digest == digest, condition)
        row = session.scalar(query.with_for_update())
        if row is None:
            return None
        try:
            errand = _errand(session, row, now)
        except Exception as error:
            # A row that cannot be read must not stop the rest.
            log.exception("mailchimp ref=%s cannot be read", row.ref)
            row.audience_tries += 1
            row.audience_try_at = now + backoff.delay(row.audience_tries)
            row.audience_error = type(error).__name__
        else:
            _announce(row, errand)
            return errand
    return _take()


def _announce(row: Subscription, errand: Errand) -> None:
    """Write down that a call is coming: from now on it may be carried out, whatever becomes of us."""
    row.audience = There.UNKNOWN
    if not errand.may_be_undone:
        row.audience_asked = errand.wanted
    ends = errand.taken_at + LONGEST_CALL + CARRIED_OUT_WITHIN
    row.audience_settles_at = max(ends, row.audience_settles_at or ends)


def _unsettled(now: datetime) -> ColumnElement[bool]:
    """Rows where the known place is not the wanted one, whose turn it is, and that nobody is erasing there."""
    wants_in = and_(
        Subscription.status == Status.CONFIRMED,
        Subscription.hold.is_(False),
        Subscription.audience.in_(UNSETTLED[There.SUBSCRIBED]),
    )
    is_out = or_(
        Subscription.status.in_((Status.BLOCKED, Status.RETURNING)),
        and_(Subscription.status == Status.CONFIRMED, Subscription.hold.is_(True)),
        and_(Subscription.status == Status.PENDING, Subscription.replaces_ref.is_not(None)),
    )
    wants_out = and_(is_out, Subscription.audience.in_(UNSETTLED[There.UNSUBSCRIBED]))
    is_due = or_(Subscription.audience_try_at.is_(None), Subscription.audience_try_at <= now)
    is_being_erased = exists().where(Erasure.digest == Subscription.digest)
    return and_(or_(wants_in, wants_out), is_due, ~is_being_erased)


def _errand(session: Session, row: Subscription, now: datetime) -> Errand:
    address = address_of(row)
    wanted = wanted_there(row.status, held=row.hold, is_successor=row.replaces_ref is not None)
    if address is None or wanted is None:
        raise LookupError("a row without an address or a wish")
    asked_at = ledger.time_of(session, row.ref, row.round, Event.SIGNUP)
    return Errand(
        ref=row.ref,
        digest=row.digest,
        round=row.round,
        address=address,
        wanted=wanted,
        known=row.audience,
        language=row.locale,
        signed_up_at=asked_at or row.since,
        confirmed_at=row.since,
        synced_round=row.synced_round,
        asked=row.audience_asked,
        settles_at=row.audience_settles_at,
        taken_at=now,
    )


def _row(session: Session, errand: Errand) -> Subscription | None:
    """The row, if it is still there: what became of a call is written down even if they moved on meanwhile."""
    lock(session, errand.digest)
    query = select(Subscription).where(Subscription.ref == errand.ref)
    return session.scalar(query.with_for_update())


def _settle(errand: Errand, place: There, *, is_change: bool) -> None:
    """Write down where somebody now stands there."""
    with writing() as session:
        row = _row(session, errand)
        if row is None:
            return
        row.audience_tries, row.audience_error, row.audience_try_at = 0, None, None
        if errand.may_be_undone:
            # Done at once, and looked at again when the earlier call can no longer be carried out.
            row.audience = There.UNKNOWN
            row.audience_settles_at = row.audience_try_at = errand.settles_at
        else:
            row.audience = place
            row.audience_asked = row.audience_settles_at = None
        if place is There.SUBSCRIBED and row.round == errand.round:
            row.synced_round = errand.round
        if is_change and place in (There.SUBSCRIBED, There.UNSUBSCRIBED):
            _log(session, row, errand, Event.SYNCED, str(place))
        drop_needless_address(row)


def _note_failure(
    session: Session, row: Subscription, errand: Errand, failure: DeliveryFailure
) -> None:
    now = clock.now()
    row.audience_error = failure.reason[:64]
    if failure.outcome_unknown:
        row.audience_settles_at = now + CARRIED_OUT_WITHIN
    elif row.audience is There.UNKNOWN:
        row.audience = errand.known
        row.audience_asked, row.audience_settles_at = errand.asked, errand.settles_at
    if row.round != errand.round:
        return  # something else is wanted by now, and its turn is at once
    is_final = failure.meaning is Meaning.PERSONAL and errand.wanted is There.SUBSCRIBED
    if is_final:
        row.audience = There.REFUSED
        _log(session, row, errand, Event.SYNC_FAILED, failure.reason[:64])
    elif failure.meaning is not Meaning.WHOLE:
        row.audience_tries += 1
        row.audience_try_at = now + backoff.delay(row.audience_tries)


def _log(session: Session, row: Subscription, errand: Errand, event: Event, detail: str) -> None:
    ledger.append(
        session,
        ref=errand.ref,
        round=errand.round,
        event=event,
        at=clock.now(),
        detail=detail,
        commitment=commitment_of(row),
    )
