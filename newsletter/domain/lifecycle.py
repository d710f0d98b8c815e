"""The product as one table: what an action does to a person, depending on their standing.

Read this first. `decide()` answers for every standing and every action; only `_apply()` in subscriptions/transition.py
carries the answer out. Nothing here uses a database, a clock or a network: all that the table needs is an argument.
docs/states.md shows the table. To change a rule, change one cell here and one row of its test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.domain.consent import ConsentText
from newsletter.domain.limits import LETTERS_PER_REQUEST, Sent

BOUNCE_IS_HARD_FOR = timedelta(days=30)

#: The refusal of Mailchimp to take back a contact that it deleted permanently.
FORGOTTEN = "forgotten"
#: The detail of a sign-up that named no consent text.
PRESUMED = "presumed"


class Status(StrEnum):
    UNKNOWN = "unknown"  #: no row: never signed up, or was erased
    PENDING = "pending"  #: signed up, has not confirmed yet
    CONFIRMED = "confirmed"  #: the address's owner confirmed
    BLOCKED = "blocked"  #: unsubscribed, or was blocked: gets no newsletter
    RETURNING = "returning"  #: blocked, signed up again, has not confirmed yet: gets no newsletter


class Reason(StrEnum):
    """Why somebody is blocked, the weakest first: only a stronger reason replaces another."""

    REMOVED_AT_MAILCHIMP = "removed_at_mailchimp"
    RECTIFIED = "rectified"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCE = "bounce"
    NOT_ME = "not_me"
    COMPLAINT = "complaint"
    STAFF = "staff"

    @property
    def strength(self) -> int:
        """The place in the order of reasons; the first two are equally weak."""
        return max(1, list(Reason).index(self))


SOFT_REASONS = frozenset({Reason.REMOVED_AT_MAILCHIMP, Reason.RECTIFIED, Reason.UNSUBSCRIBED})


@dataclass(frozen=True)
class SignUp:
    """`even_without_letter`: also where no letter may be written now; then the request has none.

    `is_presumed`: the sign-up named no consent text, so that the one published now is presumed to have been shown.
    `template`: the version of our own form; None for any other.
    """

    consent: ConsentText
    even_without_letter: bool = False
    is_presumed: bool = False
    template: str | None = None


@dataclass(frozen=True)
class Confirm:
    """`consent`: the text in the letter whose link was opened; `template`: the version of the page with the button."""

    consent: ConsentText
    template: str | None = None


@dataclass(frozen=True)
class Unsubscribe:
    """Withdraw the consent."""


@dataclass(frozen=True)
class Block:
    reason: Reason


@dataclass(frozen=True)
class Disown:
    """Declare "this was not me"; `and_block`: and get no e-mail again."""

    and_block: bool = False


@dataclass(frozen=True)
class Lift:
    """Turn a hard block into a soft one."""


@dataclass(frozen=True)
class Expire:
    """End a request that was not confirmed in time."""


@dataclass(frozen=True)
class Retire:
    """Erase a proof whose retention period is over."""


@dataclass(frozen=True)
class Erase:
    """`keep_block`: a digest stays as a block. `case_id`: of all erasures of one person."""

    keep_block: bool = False
    case_id: str | None = None


@dataclass(frozen=True)
class TakeOver:
    """Import somebody from another system."""

    reason: Reason | None = None  #: why they are blocked; None: they are confirmed
    left_at: datetime | None = None  #: when they left in the other system
    at_mailchimp: MailchimpStatus | None = None  #: None: not known
    held: bool = False
    origin: str = ""  #: for the ledger
    evidence: str = ""  #: for the proof
    kept_since: datetime | None = None  #: since when a block is kept; None: now


Action = SignUp | Confirm | Unsubscribe | Block | Disown | Lift | Expire | Retire | Erase | TakeOver


class Event(StrEnum):
    """What has happened, as the ledger records it."""

    SIGNUP = "signup"
    MAIL_SENT = "mail_sent"
    MAIL_FAILED = "mail_failed"
    CONFIRMED = "confirmed"
    BLOCKED = "blocked"
    LIFTED = "lifted"
    DISOWNED = "disowned"
    RECTIFIED = "rectified"
    HELD = "held"
    RELEASED = "released"
    SYNCED = "synced"
    SYNC_FAILED = "sync_failed"
    EXPIRED = "expired"
    ERASED = "erased"
    VIEWED = "viewed"
    RESTORED = "restored"
    IMPORTED = "imported"


class MailchimpStatus(StrEnum):
    """A person's status at Mailchimp, as last known."""

    ABSENT = "absent"
    UNKNOWN = "unknown"  #: a call is under way or its outcome was lost, or a webhook came
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    AWAITING = "awaiting"  #: Mailchimp asked for a confirmation by an e-mail of its own
    REFUSED = "refused"  #: Mailchimp does not let us add this person


@dataclass(frozen=True)
class Standing:
    """What the table needs to know about a person."""

    status: Status
    reason: Reason | None = None
    left_at: datetime | None = None  #: when they last left
    held: bool = False
    at_mailchimp: MailchimpStatus = MailchimpStatus.ABSENT
    refused_as: str | None = None  #: why Mailchimp refused them
    proof_has_ended: bool = False  #: the proof of their earlier consent is past its period
    since: datetime | None = None  #: since when they have this status

    def is_hard(self, now: datetime) -> bool:
        """Whether only staff, never a sign-up, can end this block."""
        if self.reason is None or self.reason in SOFT_REASONS:
            return False
        if self.reason is Reason.BOUNCE and self.left_at is not None:
            return now - self.left_at < BOUNCE_IS_HARD_FOR
        return True

    @property
    def needs_way_back(self) -> bool:
        """Whether somebody confirmed here whom Mailchimp subscribes only after they sign up there themselves."""
        if self.status is not Status.CONFIRMED or self.held:
            return False
        is_forgotten = self.at_mailchimp is MailchimpStatus.REFUSED and self.refused_as == FORGOTTEN
        return is_forgotten or self.at_mailchimp is MailchimpStatus.AWAITING


NOBODY = Standing(Status.UNKNOWN)
NOTHING_SENT = Sent()


@dataclass(frozen=True)
class Decision:
    """The resulting status. Without an event nothing changes and nothing is logged: a dash in the table."""

    status: Status
    reason: Reason | None
    event: Event | None = None
    writes_letter: bool = False
    tells_way_back: bool = False  #: nothing changes, but a letter names Mailchimp's own form
    keeps_block: bool = False  #: erased, but a digest stays behind as a block
    keeps_end: bool = False  #: the open request is not prolonged

    @property
    def changes(self) -> bool:
        return self.event is not None


def decide(
    standing: Standing, action: Action, now: datetime, sent: Sent = NOTHING_SENT
) -> Decision:
    """One cell of the table; only a sign-up needs `sent`."""
    if standing.held and isinstance(action, _FROZEN_BY_HOLD):
        return _unchanged(standing)
    match action:
        case SignUp():
            return _sign_up(standing, action, now, sent)
        case Confirm():
            is_open = standing.status in (Status.PENDING, Status.RETURNING)
            confirmed = Decision(Status.CONFIRMED, None, Event.CONFIRMED)
            return confirmed if is_open else _unchanged(standing)
        case Unsubscribe():
            is_confirmed = standing.status is Status.CONFIRMED
            return _blocked(Reason.UNSUBSCRIBED) if is_confirmed else _unchanged(standing)
        case Block(reason):
            return _block(standing, reason)
        case Disown(and_block):
            return _disown(standing, and_block=and_block)
        case Lift():
            is_hard = standing.status is Status.BLOCKED and standing.is_hard(now)
            lifted = Decision(Status.BLOCKED, Reason.UNSUBSCRIBED, Event.LIFTED)
            return lifted if is_hard else _unchanged(standing)
        case Expire():
            return _close_request(standing, Event.EXPIRED)
        case Retire():
            return _retire(standing, now)
        case Erase(keep_block):
            return Decision(Status.UNKNOWN, None, Event.ERASED, keeps_block=keep_block)
        case TakeOver():
            return _take_over(standing, action)


#: A restriction (Art. 18 GDPR) stops what others do with the data, never what the person or staff ask for.
_FROZEN_BY_HOLD = (SignUp, Confirm, Expire, Retire)


def _unchanged(standing: Standing) -> Decision:
    return Decision(standing.status, standing.reason)


def _blocked(reason: Reason) -> Decision:
    return Decision(Status.BLOCKED, reason, Event.BLOCKED)


def _sign_up(standing: Standing, action: SignUp, now: datetime, sent: Sent) -> Decision:
    has_to_wait = must_wait(standing, sent, now)
    if has_to_wait and not action.even_without_letter:
        return _unchanged(standing)
    match standing.status:
        case Status.CONFIRMED:
            return replace(_unchanged(standing), tells_way_back=tells_way_back(standing, sent))
        case Status.BLOCKED if standing.is_hard(now):
            return _unchanged(standing)
        case Status.BLOCKED | Status.RETURNING:
            status = Status.RETURNING
        case Status.UNKNOWN | Status.PENDING:
            status = Status.PENDING
    return Decision(
        status,
        standing.reason,
        Event.SIGNUP,
        writes_letter=not has_to_wait,
        # Otherwise repeated sign-ups, perhaps by strangers, would keep the proof of the earlier consent for ever.
        keeps_end=standing.status is Status.RETURNING and standing.proof_has_ended,
    )


def must_wait(standing: Standing, sent: Sent, now: datetime) -> bool:
    """Whether a sign-up may write no letter now.

    The first sign-up after a block need not wait ten minutes: somebody who just left may change their mind.
    """
    if standing.status is Status.BLOCKED:
        return sent.daily_limit_reached
    return request_is_full(standing, sent) or sent.within_pause_or_full(now)


def request_is_full(standing: Standing, sent: Sent) -> bool:
    """Whether an open request has got all its letters, of any kind and whoever asked for them."""
    is_open = standing.status in (Status.PENDING, Status.RETURNING)
    return is_open and sent.of_request >= LETTERS_PER_REQUEST


def tells_way_back(standing: Standing, sent: Sent) -> bool:
    is_due = standing.needs_way_back and sent.may_tell_way_back
    return is_due and not sent.daily_limit_reached


def _block(standing: Standing, reason: Reason) -> Decision:
    match standing.status:
        case Status.UNKNOWN:
            return _blocked(reason) if reason is Reason.STAFF else _unchanged(standing)
        case Status.PENDING:
            # That Mailchimp removed a contact who is not subscribed says nothing about the open request.
            is_removed = reason is Reason.REMOVED_AT_MAILCHIMP
            return _unchanged(standing) if is_removed else _blocked(reason)
        case Status.CONFIRMED:
            return _blocked(reason)
        case Status.BLOCKED | Status.RETURNING:
            present = standing.reason
            is_stronger = present is None or reason.strength > present.strength
            return _blocked(reason) if is_stronger else _unchanged(standing)


def _disown(standing: Standing, *, and_block: bool) -> Decision:
    if standing.status is Status.CONFIRMED:
        return _blocked(Reason.NOT_ME)
    closed = _close_request(standing, Event.DISOWNED)
    if and_block and closed.changes:
        return _blocked(Reason.NOT_ME)
    return closed


def _close_request(standing: Standing, event: Event) -> Decision:
    """End an open request without a confirmation: the person gets their earlier status."""
    match standing.status:
        case Status.PENDING:
            return Decision(Status.UNKNOWN, None, event)
        case Status.RETURNING:
            return Decision(Status.BLOCKED, standing.reason, event)
        case _:
            return _unchanged(standing)


def _retire(standing: Standing, now: datetime) -> Decision:
    """Erase somebody who left, but not during an open request."""
    if standing.status is not Status.BLOCKED:
        return _unchanged(standing)
    return Decision(Status.UNKNOWN, None, Event.ERASED, keeps_block=standing.is_hard(now))


def _take_over(standing: Standing, action: TakeOver) -> Decision:
    """A known person keeps their status, unless they left the other system after they got it."""
    if standing.status is Status.UNKNOWN:
        status = Status.CONFIRMED if action.reason is None else Status.BLOCKED
        return Decision(status, action.reason, Event.IMPORTED)
    is_earlier = action.left_at and standing.since and action.left_at < standing.since
    if action.reason is None or (standing.status in _ACTIVE and is_earlier):
        return _unchanged(standing)
    return _block(standing, action.reason)


def ends_round(before: Status, after: Status) -> bool:
    """Whether an open request or a consent ends, so that earlier links become invalid."""
    return before in _ACTIVE and after not in _ACTIVE


_ACTIVE = frozenset({Status.PENDING, Status.CONFIRMED, Status.RETURNING})


def wanted_mailchimp_status(
    status: Status, *, held: bool, is_successor: bool
) -> MailchimpStatus | None:
    """The status that a person should have at Mailchimp; None: any, and no call may be made.

    `is_successor`: Mailchimp changed the address of its contact, so that the new one is there before it is confirmed.
    """
    match status:
        case Status.CONFIRMED:
            return MailchimpStatus.UNSUBSCRIBED if held else MailchimpStatus.SUBSCRIBED
        case Status.BLOCKED | Status.RETURNING:
            return MailchimpStatus.UNSUBSCRIBED
        case Status.PENDING:
            return MailchimpStatus.UNSUBSCRIBED if is_successor else None
        case Status.UNKNOWN:
            return None


#: For each wanted status, the known ones that require a call. An absent contact cannot be unsubscribed. After a
#: refusal, or Mailchimp's own confirmation e-mail, nobody is subscribed until they sign up again.
UNSETTLED: dict[MailchimpStatus, frozenset[MailchimpStatus]] = {
    MailchimpStatus.SUBSCRIBED: frozenset(
        {MailchimpStatus.ABSENT, MailchimpStatus.UNKNOWN, MailchimpStatus.UNSUBSCRIBED}
    ),
    MailchimpStatus.UNSUBSCRIBED: frozenset(
        {MailchimpStatus.SUBSCRIBED, MailchimpStatus.UNKNOWN, MailchimpStatus.AWAITING}
    ),
}
