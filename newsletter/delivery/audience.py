"""The audience loop: brings each person's place at Mailchimp to what is wanted. A state, not a stream of commands.

Before a call the row says `unknown`, what is asked, and until when Mailchimp may carry it out; so a process that dies,
or an erasure that comes in between, knows what may still happen there. Only one worker at a time runs this.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from newsletter import clock, erasures, heard, jobs, ledger
from newsletter.address import Address
from newsletter.database import lock, reading, writing
from newsletter.delivery import backoff
from newsletter.delivery.mailchimp import Mailchimp, Member
from newsletter.delivery.progress import Progress
from newsletter.errors import DeliveryFailure, Meaning, Unreadable
from newsletter.lifecycle import UNSETTLED, Event, Reason, Status, There, wanted_there
from newsletter.models import Erasure, Subscription
from newsletter.person import address_of, commitment_of, stands_there

log = logging.getLogger(__name__)

#: Mailchimp itself gives up on a call after 120 s; until then a call that timed out here may be carried out there.
CARRIED_OUT_WITHIN = timedelta(seconds=120)
LONGEST_CALL = timedelta(seconds=60)
BATCH = 500


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
    #: Earlier calls of unknown outcome: what they asked for, and until when they may be carried out.
    asked: There | None
    settles_at: datetime | None
    taken_at: datetime

    @property
    def may_be_undone(self) -> bool:
        """Tell whether an earlier call may still be carried out that wanted something else."""
        return self._is_open and self.asked is not self.wanted

    @property
    def asks(self) -> There:
        """What is asked for all in all, once this call is made, too."""
        return There.UNKNOWN if self.may_be_undone else self.wanted

    @property
    def _is_open(self) -> bool:
        return self.settles_at is not None and self.settles_at > self.taken_at


class MovedOn(Exception):
    """Something else is wanted by now."""


class Audience:
    """Takes one person at a time and settles their place at Mailchimp."""

    def __init__(self, mailchimp: Mailchimp) -> None:
        self._mailchimp = mailchimp
        self._waiting: deque[str] = deque()

    def step(self) -> Progress:
        """Settle one person."""
        if not self._waiting:
            self._waiting.extend(_unsettled_refs())
        if not self._waiting:
            return Progress.IDLE
        ref = self._waiting.popleft()
        errand: Errand | None = None
        try:
            errand = _take(ref)
            if errand is None:
                return Progress.FAILED
            self._carry_out(errand)
        except MovedOn:
            return Progress.FAILED
        except DeliveryFailure as failure:
            log.warning("mailchimp ref=%s failed: %s (%s)", ref, failure.reason, failure.meaning)
            if errand is not None:
                self._fail(errand, failure)
            if failure.meaning is not Meaning.WHOLE:
                return Progress.FAILED
            self._waiting.clear()
            return Progress.STOP
        except SQLAlchemyError:
            raise
        except Exception as error:
            # One person whose row is odd must not stop the rest.
            log.exception("mailchimp ref=%s could not be settled", ref)
            _postpone(ref, type(error).__name__)
            return Progress.FAILED
        return Progress.DONE

    def _carry_out(self, errand: Errand) -> None:
        if errand.known is There.UNKNOWN:
            member = self._look_up(errand)
            if self._is_answer(errand, member):
                return
        if errand.wanted is There.SUBSCRIBED:
            self._subscribe(errand)
        else:
            errand = _announce(errand)
            _settle(errand, self._mailchimp.unsubscribe(errand.address), is_change=True)
        log.info("mailchimp ref=%s is %s", errand.ref, errand.wanted)

    def _look_up(self, errand: Errand) -> Member | None:
        try:
            return self._mailchimp.look_up(errand.address)
        except DeliveryFailure as failure:
            # Looking changes nothing there, whatever became of it.
            raise DeliveryFailure(failure.meaning, failure.reason) from None

    def _is_answer(self, errand: Errand, member: Member | None) -> bool:
        """Take what stands there for an answer where it is one, or tell that a call must follow."""
        place = There.ABSENT if member is None else member.place
        if errand.wanted is There.UNSUBSCRIBED:
            if place in UNSETTLED[There.UNSUBSCRIBED]:
                return False
            was_ours = errand.asked is There.UNSUBSCRIBED and place is There.UNSUBSCRIBED
            _settle(errand, place, is_change=was_ours)
            return True
        if place in (There.SUBSCRIBED, There.AWAITING):
            _settle(errand, place, is_change=errand.synced_round != errand.round)
            return True
        is_own_doing = errand.asked in (There.UNSUBSCRIBED, There.UNKNOWN)
        if errand.synced_round != errand.round or is_own_doing:
            # They left before this round's consent, or a late call of ours undid it: the consent counts.
            return False
        heard.found_left(errand.ref, errand.round, _reason_for(member), place)
        return True

    def _subscribe(self, errand: Errand) -> None:
        errand = _announce(errand)
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
            elif not failure.outcome_unknown:
                erasures.nothing_in_flight(session, errand.digest, errand.settles_at)
        if failure.meaning is Meaning.WHOLE:
            jobs.hold("mailchimp", failure.reason)


def _reason_for(member: Member | None) -> Reason:
    if member is None or member.is_archived:
        return Reason.REMOVED_AT_MAILCHIMP
    if member.is_complaint:
        return Reason.COMPLAINT
    return Reason.BOUNCE if member.is_bounce else Reason.UNSUBSCRIBED


def _unsettled_refs() -> Sequence[str]:
    """Who is to be settled, those first who have waited longest."""
    with reading() as session:
        query = select(Subscription.ref).where(_unsettled(clock.now()))
        # Whoever was put aside comes after those who still wait for their first turn.
        turn = func.coalesce(Subscription.audience_try_at, Subscription.since)
        return session.scalars(query.order_by(turn).limit(BATCH)).all()


def _take(ref: str) -> Errand | None:
    """Read what is to be done for one person; None if they were settled meanwhile. Raise Unreadable."""
    now = clock.now()
    with reading() as session:
        row = session.scalar(select(Subscription).where(Subscription.ref == ref, _unsettled(now)))
        return None if row is None else _errand(session, row, now)


def _announce(errand: Errand) -> Errand:
    """Write down that a call is coming: from now on it may be carried out, whatever becomes of us.

    Raise MovedOn if something else is wanted by now. The errand that is returned knows of earlier calls.
    """
    with writing() as session:
        row = _row(session, errand)
        if row is None or row.round != errand.round or _wish_for(row) is not errand.wanted:
            raise MovedOn
        errand = replace(errand, asked=row.audience_asked, settles_at=row.audience_settles_at)
        row.audience, row.audience_asked = There.UNKNOWN, errand.asks
        ends = clock.now() + LONGEST_CALL + CARRIED_OUT_WITHIN
        row.audience_settles_at = max(ends, row.audience_settles_at or ends)
        return errand


def _wish_for(row: Subscription) -> There | None:
    return wanted_there(row.status, held=row.hold, is_successor=row.replaces_ref is not None)


def _postpone(ref: str, reason: str) -> None:
    with writing() as session:
        row = session.get(Subscription, ref, with_for_update=True)
        if row is not None:
            row.audience_tries += 1
            row.audience_try_at = clock.now() + backoff.delay(row.audience_tries)
            row.audience_error = reason[:64]


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
    address, wanted = address_of(row), _wish_for(row)
    if address is None or wanted is None:
        raise Unreadable
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
            erasures.nothing_in_flight(session, errand.digest, errand.settles_at)
            return
        row.audience_tries, row.audience_error, row.audience_try_at = 0, None, None
        if errand.may_be_undone:
            # Done at once, and looked at again when the earlier call can no longer be carried out.
            stands_there(row, There.UNKNOWN, errand.address)
            row.audience_settles_at = errand.settles_at
            if _wish_for(row) is errand.wanted:
                row.audience_try_at = errand.settles_at
        else:
            stands_there(row, place, errand.address)
            row.audience_asked = row.audience_settles_at = None
        if place is There.SUBSCRIBED and row.round == errand.round:
            row.synced_round = errand.round
        elif place is There.UNSUBSCRIBED and is_change:
            # What stands there from now on is our doing, not the person's.
            row.synced_round = None
        if is_change and place in (There.SUBSCRIBED, There.UNSUBSCRIBED):
            _log(session, row, errand, Event.SYNCED, str(place))


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
    if row.round != errand.round or _wish_for(row) is not errand.wanted:
        return  # something else is wanted by now, and its turn is at once
    if failure.meaning is Meaning.PERSONAL and errand.wanted is There.SUBSCRIBED:
        row.audience = There.REFUSED
        _log(session, row, errand, Event.SYNC_FAILED, failure.reason[:64])
    elif failure.meaning is Meaning.WHOLE:
        # Should it be about this person after all, the next probe is somebody else's.
        row.audience_try_at = now + jobs.PROBE_EVERY
    else:
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
