"""Carries out decisions of lifecycle.py: status, ledger row and letter change in one transaction."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from sqlalchemy import delete

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
    decide,
    ends_round,
)
from newsletter.ledger import log
from newsletter.storage import statements
from newsletter.storage.models import Erasure, Inquiry, LetterKind, Quota, Subscription
from newsletter.subscriptions import erasures, letters, quota, row_changes, takeover
from newsletter.subscriptions.person import (
    OPEN,
    Known,
    Person,
    Unknown,
    commitment_of,
    record_mailchimp_status,
    request_sync,
)


@dataclass(frozen=True)
class Outcome:
    """A decision, and the person after it."""

    decision: Decision
    person: Person
    erasure: Erasure | None = None  #: the open erasure of the person, if the action was one


def act(person: Person, action: Action, *, actor: str | None = None) -> Outcome:
    """Decide about an action and carry the decision out; an overdue request is ended first."""
    if not isinstance(action, Erase):
        person = expire_if_due(person)
    if isinstance(action, SignUp):
        decision = decide(person.standing, action, person.now, person.quota.sent())
    else:
        decision = decide(person.standing, action, person.now)
    if decision.tells_way_back and isinstance(person, Known):
        person.tell_way_back()
    if not decision.changes:
        return Outcome(decision, person)
    return _carry_out(person, decision, action, actor)


def expire_if_due(person: Person) -> Person:
    """End an overdue request before the nightly run does."""
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
    known = person if isinstance(person, Known) else row_changes.new_row(person, decision, action)
    row, now = known.row, known.now
    is_new = known is not person
    before = row.status
    agreed = row_changes.record_consent(row, decision, action)
    _log(known, decision, row.ref, actor, wording=agreed, action=action)
    if decision.status is not before:
        row.status, row.since = decision.status, now
        row.audience_tries, row.audience_error = 0, None
        request_sync(row, now)
    row.reason = decision.reason
    row.expires_at = row_changes.link_expiry(row, decision, now)
    if decision.status is Status.CONFIRMED:
        row.confirmed_round, row.left_at = row.round, None
    if not is_new:
        _drop_letters(known, decision, before)
        if ends_round(before, row.status):
            row_changes.begin_round(row, before, now)
    if decision.status is Status.BLOCKED and row.confirmed_round is None:
        row.nonce = row.wording = None
    record_mailchimp_status(row, row.audience, known.address)
    (statements.insert if is_new else statements.update)(known.session, row)
    if decision.writes_letter and agreed is not None:
        known.write(LetterKind.CONFIRMATION, wording=agreed)
    return known


def _log(
    person: Person,
    decision: Decision,
    ref: str,
    actor: str | None,
    *,
    wording: str | None,
    action: Action,
) -> None:
    assert decision.event is not None  # noqa: S101 - tells mypy; a decision that changes something has an event
    row = person.row if isinstance(person, Known) else None
    detail, evidence = takeover.detail_and_evidence(decision, action)
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
    if ends_round(before, row.status) and row.confirmed_round != row.round:
        letters.drop_round(person.session, row)


def _delete(person: Person, decision: Decision, action: Action, actor: str | None) -> Outcome:
    """Delete the row and its letters, and begin an erasure where Mailchimp may have the contact."""
    session, standing = person.session, person.standing
    row = person.row if isinstance(person, Known) else None
    ref = row.ref if row else secrets.token_hex(16)
    _log(person, decision, ref, actor, wording=row.wording if row else None, action=action)
    is_erased = decision.event is Event.ERASED
    erasure = None
    if is_erased or (row is not None and row.audience is not MailchimpStatus.ABSENT):
        erasure = _begin_erasure(person, row, ref, decision, action, actor)
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


def _begin_erasure(
    person: Person,
    row: Subscription | None,
    ref: str,
    decision: Decision,
    action: Action,
    actor: str | None,
) -> Erasure:
    found = erasures.what_exists(person.session, row, person.quota.digest)
    if decision.event is not Event.ERASED:
        # The end of a request keeps the quota, so that the address does not get more letters.
        found = [code for code in found if code != erasures.QUOTA]
    return erasures.begin(
        person.session,
        ref=ref,
        digest=person.digest,
        address=person.address,
        actor=actor or periods.ACTOR,
        now=person.now,
        settles_at=row.audience_settles_at if row else None,
        found=found,
        keep_block=decision.keeps_block,
        case_id=action.case_id if isinstance(action, Erase) else None,
    )


def keep_bare_block(person: Unknown, standing: Standing) -> Known:
    """Insert a block without the address: for the reason of the hard block before, otherwise for `staff`."""
    reason = standing.reason if standing.is_hard(person.now) and standing.reason else Reason.STAFF
    bare = replace(person, address=None)
    return _apply(bare, Decision(Status.BLOCKED, reason, Event.BLOCKED), Block(reason))
