"""The product as one table: what an action does to a person, depending on where they stand.

Read this first. `decide()` answers for every standing and every action; `_apply()` in subscriptions/transition.py
alone carries the answer out. Nothing here touches a database, a clock or a network: what the table needs to know is
handed in.
docs/states.md shows the table; changing a rule is changing one cell here and one row of its test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.domain.consent import ConsentText
from newsletter.domain.limits import LETTERS_PER_REQUEST, Sent

BOUNCE_IS_FRESH = timedelta(days=30)

#: The reason of Mailchimp's refusal to take back whom it once deleted for good.
FORGOTTEN = "forgotten"
#: The detail of a sign-up that named no consent text.
PRESUMED = "presumed"


class Status(StrEnum):
    """Where a person stands."""

    UNKNOWN = "unknown"  #: no row: never came, or was forgotten
    PENDING = "pending"  #: asked for the newsletter, has not confirmed yet
    CONFIRMED = "confirmed"  #: the address's owner confirmed
    BLOCKED = "blocked"  #: left, or was shut out: no mailing
    RETURNING = "returning"  #: blocked, asked again, not yet confirmed: blocked for every mailing


class Reason(StrEnum):
    """Why somebody is blocked, weakest first: a block on a blocked row counts only if it is stronger."""

    REMOVED_AT_MAILCHIMP = "removed_at_mailchimp"
    RECTIFIED = "rectified"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCE = "bounce"
    NOT_ME = "not_me"
    COMPLAINT = "complaint"
    STAFF = "staff"

    @property
    def strength(self) -> int:
        """The place in the order of reasons; the two weakest are equally weak."""
        return max(1, list(Reason).index(self))


SOFT_REASONS = frozenset({Reason.REMOVED_AT_MAILCHIMP, Reason.RECTIFIED, Reason.UNSUBSCRIBED})


@dataclass(frozen=True)
class SignUp:
    """`in_any_case`: also where no letter may be written now; then there is a request without one.

    `is_presumed`: the request named no consent text, so that the one published now is presumed to have been shown.
    `template`: the version of our own form; None for any other.
    """

    consent: ConsentText
    in_any_case: bool = False
    is_presumed: bool = False
    template: str | None = None


@dataclass(frozen=True)
class Confirm:
    """Agree to the text in the letter whose link was followed; `template`: the version of the page with the button."""

    consent: ConsentText
    template: str | None = None


@dataclass(frozen=True)
class Unsubscribe:
    """Withdraw the consent."""


@dataclass(frozen=True)
class Block:
    """Shut out, for a reason."""

    reason: Reason


@dataclass(frozen=True)
class Disown:
    """Say "this was not me"; `and_block`: and never write again."""

    and_block: bool = False


@dataclass(frozen=True)
class Lift:
    """Let somebody sign up again who was blocked for good."""


@dataclass(frozen=True)
class Expire:
    """End a request that nobody confirmed in time."""


@dataclass(frozen=True)
class Retire:
    """End a proof past its period."""


@dataclass(frozen=True)
class Erase:
    """Forget, but for a block where `keep_block` asks for it; `case_id` is shared with others erased as one."""

    keep_block: bool = False
    case_id: str | None = None


@dataclass(frozen=True)
class TakeOver:
    """Take somebody over from another system, as they stand there; `reason`: blocked, None: confirmed.

    `left_at` is when they left there and `there` their place at Mailchimp, as far as is stated. `origin` and
    `evidence` are what the ledger and the proof say of it; `kept_since`: since when a block is kept, else now.
    """

    reason: Reason | None = None
    left_at: datetime | None = None
    there: MailchimpStatus | None = None  #: None: nobody knows
    held: bool = False
    origin: str = ""
    evidence: str = ""
    kept_since: datetime | None = None


Action = SignUp | Confirm | Unsubscribe | Block | Disown | Lift | Expire | Retire | Erase | TakeOver


class Event(StrEnum):
    """What has happened: the words of the ledger."""

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
    UNKNOWN = "unknown"  #: a call is under way, its outcome was lost, or a webhook asks for a look
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    AWAITING = "awaiting"  #: Mailchimp asked the person once more and waits for the answer
    REFUSED = "refused"  #: Mailchimp does not let us add this person


@dataclass(frozen=True)
class Standing:
    """What the table needs to know about a person. `left_at` is when they last left, None if they never did.

    `there` is their place at Mailchimp, `refused_as` why it refused them. `proof_has_ended`: the period for which
    the proof of their earlier consent is kept is over. `since` is when they came to stand where they do.
    """

    status: Status
    reason: Reason | None = None
    left_at: datetime | None = None
    held: bool = False
    there: MailchimpStatus = MailchimpStatus.ABSENT
    refused_as: str | None = None
    proof_has_ended: bool = False
    since: datetime | None = None

    def is_hard(self, now: datetime) -> bool:
        """Tell whether only staff, never a sign-up, can end this block."""
        if self.reason is None or self.reason in SOFT_REASONS:
            return False
        if self.reason is Reason.BOUNCE and self.left_at is not None:
            return now - self.left_at < BOUNCE_IS_FRESH
        return True

    @property
    def needs_way_back(self) -> bool:
        """Tell whether only their own asking at Mailchimp can bring this person, who confirmed here, back there."""
        if self.status is not Status.CONFIRMED or self.held:
            return False
        is_forgotten = self.there is MailchimpStatus.REFUSED and self.refused_as == FORGOTTEN
        return is_forgotten or self.there is MailchimpStatus.AWAITING


NOBODY = Standing(Status.UNKNOWN)
NOTHING_SENT = Sent()


@dataclass(frozen=True)
class Decision:
    """What becomes of a person. Without an event nothing changes and nothing is logged: a dash in the table."""

    status: Status
    reason: Reason | None
    event: Event | None = None
    writes_letter: bool = False
    tells_way_back: bool = False  #: nothing changes, but a letter names the way back to Mailchimp
    keeps_block: bool = False  #: erased, but a digest stays behind as a block
    keeps_end: bool = False  #: the open request ends when it was to end before

    @property
    def changes(self) -> bool:
        """Tell whether anything happens at all."""
        return self.event is not None


def decide(
    standing: Standing, action: Action, now: datetime, sent: Sent = NOTHING_SENT
) -> Decision:
    """Look up one cell of the table. `sent` counts for sign-ups alone."""
    dash = Decision(standing.status, standing.reason)
    if standing.held and isinstance(action, _FROZEN_BY_HOLD):
        return dash
    match action:
        case SignUp():
            return _sign_up(standing, dash, action, now, sent)
        case Confirm():
            is_open = standing.status in (Status.PENDING, Status.RETURNING)
            return Decision(Status.CONFIRMED, None, Event.CONFIRMED) if is_open else dash
        case Unsubscribe():
            is_confirmed = standing.status is Status.CONFIRMED
            return _blocked(Reason.UNSUBSCRIBED) if is_confirmed else dash
        case Block(reason):
            return _block(standing, dash, reason)
        case Disown(and_block):
            return _disown(standing, dash, and_block=and_block)
        case Lift():
            is_hard = standing.status is Status.BLOCKED and standing.is_hard(now)
            return Decision(Status.BLOCKED, Reason.UNSUBSCRIBED, Event.LIFTED) if is_hard else dash
        case Expire():
            return _close_request(standing, dash, Event.EXPIRED)
        case Retire():
            return _retire(standing, dash, now)
        case Erase(keep_block):
            return Decision(Status.UNKNOWN, None, Event.ERASED, keeps_block=keep_block)
        case TakeOver():
            return _take_over(standing, dash, action)


#: A hold (Art. 18 GDPR) freezes what others do with the data, never what the person or staff ask for.
_FROZEN_BY_HOLD = (SignUp, Confirm, Expire, Retire)


def _blocked(reason: Reason) -> Decision:
    return Decision(Status.BLOCKED, reason, Event.BLOCKED)


def _sign_up(
    standing: Standing, dash: Decision, action: SignUp, now: datetime, sent: Sent
) -> Decision:
    has_to_wait = must_wait(standing, sent, now)
    if has_to_wait and not action.in_any_case:
        return dash
    match standing.status:
        case Status.CONFIRMED:
            return replace(dash, tells_way_back=tells_way_back(standing, sent))
        case Status.BLOCKED if standing.is_hard(now):
            return dash
        case Status.BLOCKED | Status.RETURNING:
            status = Status.RETURNING
        case Status.UNKNOWN | Status.PENDING:
            status = Status.PENDING
    return Decision(
        status,
        standing.reason,
        Event.SIGNUP,
        writes_letter=not has_to_wait,
        # Whoever signs somebody up again and again does not keep the proof of their earlier consent.
        keeps_end=standing.status is Status.RETURNING and standing.proof_has_ended,
    )


def must_wait(standing: Standing, sent: Sent, now: datetime) -> bool:
    """Tell whether a sign-up may write no letter now.

    The first sign-up after a block need not wait ten minutes: whoever just left may change their mind.
    """
    if standing.status is Status.BLOCKED:
        return sent.daily_limit_reached
    return request_is_full(standing, sent) or sent.within_pause_or_full(now)


def request_is_full(standing: Standing, sent: Sent) -> bool:
    """Tell whether an open request was written all letters that it gets, whoever asked for them and for what."""
    is_open = standing.status in (Status.PENDING, Status.RETURNING)
    return is_open and sent.of_request >= LETTERS_PER_REQUEST


def tells_way_back(standing: Standing, sent: Sent) -> bool:
    """Tell whether a letter is to name the way back to Mailchimp."""
    is_due = standing.needs_way_back and sent.may_tell_way_back
    return is_due and not sent.daily_limit_reached


def _block(standing: Standing, dash: Decision, reason: Reason) -> Decision:
    match standing.status:
        case Status.UNKNOWN:
            return _blocked(reason) if reason is Reason.STAFF else dash
        case Status.PENDING:
            # Mailchimp's removing somebody who is not subscribed says nothing about their own request.
            return dash if reason is Reason.REMOVED_AT_MAILCHIMP else _blocked(reason)
        case Status.CONFIRMED:
            return _blocked(reason)
        case Status.BLOCKED | Status.RETURNING:
            present = standing.reason
            is_stronger = present is None or reason.strength > present.strength
            return _blocked(reason) if is_stronger else dash


def _disown(standing: Standing, dash: Decision, *, and_block: bool) -> Decision:
    if standing.status is Status.CONFIRMED:
        return _blocked(Reason.NOT_ME)
    closed = _close_request(standing, dash, Event.DISOWNED)
    if and_block and closed.changes:
        return _blocked(Reason.NOT_ME)
    return closed


def _close_request(standing: Standing, dash: Decision, event: Event) -> Decision:
    """End an open request without a confirmation: the person stands as before it."""
    match standing.status:
        case Status.PENDING:
            return Decision(Status.UNKNOWN, None, event)
        case Status.RETURNING:
            return Decision(Status.BLOCKED, standing.reason, event)
        case _:
            return dash


def _retire(standing: Standing, dash: Decision, now: datetime) -> Decision:
    """End what is kept of somebody who left; it waits for the end of an open request."""
    if standing.status is not Status.BLOCKED:
        return dash
    return Decision(Status.UNKNOWN, None, Event.ERASED, keeps_block=standing.is_hard(now))


def _take_over(standing: Standing, dash: Decision, action: TakeOver) -> Decision:
    """Whoever is known stays as they are, unless they left elsewhere after they came to stand here as they do."""
    if standing.status is Status.UNKNOWN:
        status = Status.CONFIRMED if action.reason is None else Status.BLOCKED
        return Decision(status, action.reason, Event.IMPORTED)
    is_earlier = action.left_at and standing.since and action.left_at < standing.since
    if action.reason is None or (standing.status in _IN and is_earlier):
        return dash
    return _block(standing, dash, action.reason)


def leaves(before: Status, after: Status) -> bool:
    """Tell whether an open request or a consent ends here, so that no link made before may count again."""
    return before in _IN and after not in _IN


_IN = frozenset({Status.PENDING, Status.CONFIRMED, Status.RETURNING})


def wanted_mailchimp_status(
    status: Status, *, held: bool, is_successor: bool
) -> MailchimpStatus | None:
    """Say which status at Mailchimp a person should have; None: no wish, and no call may be made.

    `is_successor`: the request came from Mailchimp's own change of an address, which stands there already.
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


#: Which known places do not yet satisfy a wish. Where nobody is (absent), there is nobody to unsubscribe; a
#: refusal and Mailchimp's own question are final answers to the wish to subscribe, until the person asks anew.
UNSETTLED: dict[MailchimpStatus, frozenset[MailchimpStatus]] = {
    MailchimpStatus.SUBSCRIBED: frozenset(
        {MailchimpStatus.ABSENT, MailchimpStatus.UNKNOWN, MailchimpStatus.UNSUBSCRIBED}
    ),
    MailchimpStatus.UNSUBSCRIBED: frozenset(
        {MailchimpStatus.SUBSCRIBED, MailchimpStatus.UNKNOWN, MailchimpStatus.AWAITING}
    ),
}
