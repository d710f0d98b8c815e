"""Carries out decisions of the table: status, ledger row and letter change in one transaction."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete

from newsletter import config
from newsletter.domain import periods
from newsletter.domain.lifecycle import (
    PRESUMED,
    Action,
    Block,
    Confirm,
    Decision,
    Erase,
    Event,
    Expire,
    MailchimpStatus,
    Reason,
    SignUp,
    Standing,
    Status,
    TakeOver,
    decide,
    leaves,
)
from newsletter.domain.limits import request_ends
from newsletter.ledger import log
from newsletter.storage import statements
from newsletter.storage.models import Erasure, Inquiry, LetterKind, Quota, Subscription
from newsletter.subscriptions import erasures, letters, quota, takeover
from newsletter.subscriptions.person import (
    OPEN,
    Known,
    Person,
    Unknown,
    commitment_of,
    due_at_mailchimp,
    keep_address,
    record_mailchimp_status,
)


@dataclass(frozen=True)
class Outcome:
    """A decision, and the person after it."""

    decision: Decision
    person: Person
    erasure: Erasure | None = None  #: the open erasure of the person, if the action was one


def act(person: Person, action: Action, *, actor: str | None = None) -> Outcome:
    """Look the action up in the table and carry it out; an overdue request is ended first."""
    if not isinstance(action, Erase):
        person = expire_if_due(person)
    if isinstance(action, SignUp):
        decision = decide(person.standing, action, person.now, person.quota.sent())
    else:
        decision = decide(person.standing, action, person.now)
    if decision.tells_way_back and isinstance(person, Known):
        person.tell_way_back()
    return (
        _carry_out(person, decision, action, actor)
        if decision.changes
        else Outcome(decision, person)
    )


def expire_if_due(person: Person) -> Person:
    """End a request whose time is over, whether or not housekeeping has found it yet."""
    if not isinstance(person, Known) or not person.is_overdue:
        return person
    decision = decide(person.standing, Expire(), person.now)
    return _carry_out(person, decision, Expire()).person if decision.changes else person


def write_decoy(person: Person, action: SignUp, *, writes_letter: bool) -> None:
    """Send the statements of a sign-up without writing rows: timing must not reveal known addresses (ADR 6)."""
    digest = secrets.token_bytes(32)
    nobody = Unknown(
        session=person.session,
        digest=digest,
        address=person.address,
        now=person.now,
        quota=quota.Quota.empty(person.session, digest, person.now),
    )
    decision = Decision(Status.PENDING, None, Event.SIGNUP, writes_letter=writes_letter)
    with statements.decoy(person.session):
        _apply(nobody, decision, action)


def _carry_out(
    person: Person, decision: Decision, action: Action, actor: str | None = None
) -> Outcome:
    if decision.status is Status.UNKNOWN:
        return _delete(person, decision, action, actor)
    return Outcome(decision, _apply(person, decision, action, actor))


def _apply(person: Person, decision: Decision, action: Action, actor: str | None = None) -> Known:
    """Carry out a decision that leaves a row: the only place where a status changes."""
    known = person if isinstance(person, Known) else _new_row(person, decision, action)
    row, now = known.row, known.now
    is_new = known is not person
    before = row.status
    agreed = _record_consent(row, decision, action)
    _log(known, decision, row.ref, actor, wording=agreed, action=action)
    if decision.status is not before:
        row.status, row.since = decision.status, now
        row.audience_tries, row.audience_error = 0, None
        due_at_mailchimp(row, now)
    row.reason = decision.reason
    row.expires_at = _link_expiry(row, decision, now)
    if decision.status is Status.CONFIRMED:
        row.confirmed_round, row.left_at = row.round, None
    if not is_new:
        _drop_letters(known, decision, before)
        if leaves(before, row.status):
            _close_round(row, before, now)
    if decision.status is Status.BLOCKED and row.confirmed_round is None:
        row.nonce = row.wording = None
    record_mailchimp_status(row, row.audience, known.address)
    (statements.insert if is_new else statements.update)(known.session, row)
    if decision.writes_letter and agreed is not None:
        known.write(LetterKind.CONFIRMATION, wording=agreed)
    return known


def _new_row(person: Person, decision: Decision, action: Action) -> Known:
    locale = person.locale if isinstance(person, Unknown) else None
    row = Subscription(
        ref=secrets.token_hex(16),
        digest=person.digest,
        status=decision.status,
        round=1,
        since=person.now,
        locale=locale or config.current().default_locale,
        audience=MailchimpStatus.ABSENT,
        audience_due_since=person.now,
        audience_tries=0,
        hold=False,
    )
    if decision.status is Status.BLOCKED:
        row.left_at = person.now
    if person.address is not None:
        keep_address(row, person.address)
        if decision.status is Status.BLOCKED:
            # Staff block an unknown address: Mailchimp may have the contact, and is asked.
            row.audience = MailchimpStatus.UNKNOWN
    if isinstance(action, TakeOver):
        takeover.begin(row, action)
    return person.with_row(row)


def _record_consent(row: Subscription, decision: Decision, action: Action) -> str | None:
    """Record the consent text of a sign-up or a confirmation; the hash of the text that the action is about."""
    is_open = decision.status in OPEN
    if is_open or (isinstance(action, TakeOver) and action.evidence):
        row.nonce = row.nonce or secrets.token_bytes(32)
    if not isinstance(action, SignUp | Confirm):
        return row.wording
    if row.confirmed_round is None or not is_open:
        # Until they confirm again, the row names the text that they agreed to.
        row.wording, row.locale = action.consent.hash, action.consent.language
    return action.consent.hash


def _link_expiry(row: Subscription, decision: Decision, now: datetime) -> datetime | None:
    if decision.status not in OPEN:
        return None
    if decision.keeps_end:
        return row.expires_at
    return request_ends(row.since, now, config.current().link_days)


def _log(
    person: Person,
    decision: Decision,
    ref: str,
    actor: str | None,
    *,
    wording: str | None,
    action: Action,
) -> None:
    assert decision.event is not None  # noqa: S101 - tells mypy; a dash never comes here
    row = person.row if isinstance(person, Known) else None
    detail, evidence = takeover.recorded(decision, action)
    if isinstance(action, SignUp) and action.is_presumed:
        detail = PRESUMED
    log.append(
        person.session,
        ref=ref,
        round=row.round if row else None,
        event=decision.event,
        at=person.now,
        reason=decision.reason if decision.event in (Event.BLOCKED, Event.IMPORTED) else None,
        detail=detail,
        wording=wording,
        template=action.template if isinstance(action, SignUp | Confirm) else None,
        actor=actor,
        commitment=commitment_of(row, person.address, evidence) if row else None,
    )


def _drop_letters(person: Known, decision: Decision, before: Status) -> None:
    """Delete letters that are not needed any more: queued ones, and those of a round that proves no consent."""
    row = person.row
    if decision.writes_letter or row.status not in OPEN:
        letters.drop_queued(person.session, row, person.now)
    if leaves(before, row.status) and row.confirmed_round != row.round:
        letters.drop_round(person.session, row)


def _close_round(row: Subscription, before: Status, now: datetime) -> None:
    """Begin a new round when somebody leaves, so that no earlier link is valid."""
    if before is not Status.RETURNING:
        row.left_at = now
    row.round += 1
    row.replaces_ref = None
    if row.audience is MailchimpStatus.REFUSED:
        row.audience = MailchimpStatus.ABSENT


def _delete(person: Person, decision: Decision, action: Action, actor: str | None) -> Outcome:
    """Delete the row and its letters, and begin an erasure where Mailchimp may have the contact."""
    session, standing = person.session, person.standing
    row = person.row if isinstance(person, Known) else None
    ref = row.ref if row else secrets.token_hex(16)
    _log(person, decision, ref, actor, wording=row.wording if row else None, action=action)
    is_erased = decision.event is Event.ERASED
    erasure = None
    # The end of a request keeps the quota, so that the address does not get more letters.
    kept = [] if is_erased else [erasures.QUOTA]
    if is_erased or (row is not None and row.audience is not MailchimpStatus.ABSENT):
        erasure = erasures.begin(
            session,
            ref=ref,
            digest=person.digest,
            address=person.address,
            actor=actor or periods.ACTOR,
            now=person.now,
            settles_at=row.audience_settles_at if row else None,
            found=[
                code
                for code in erasures.what_exists(session, row, person.quota.digest)
                if code not in kept
            ],
            keep_block=decision.keeps_block,
            case_id=action.case_id if isinstance(action, Erase) else None,
        )
    if row is not None:
        session.delete(row)
    if is_erased:
        session.execute(delete(Quota).where(Quota.digest == person.quota.digest))
        session.execute(delete(Inquiry).where(Inquiry.digest == person.digest))
    session.flush()
    unknown = person.without_row(row.locale if row else None)
    if is_erased and erasure is not None and erasure.keep_block:
        return Outcome(decision, keep_bare_block(unknown, standing), erasure)
    return Outcome(decision, unknown, erasure)


def keep_bare_block(person: Unknown, standing: Standing) -> Known:
    """Insert a block without the address: for the hard reason that there was, otherwise for staff's."""
    reason = standing.reason if standing.is_hard(person.now) and standing.reason else Reason.STAFF
    bare = replace(person, address=None)
    return _apply(bare, Decision(Status.BLOCKED, reason, Event.BLOCKED), Block(reason))
