"""What a decision changes in the row of a subscription, apart from the status itself."""

from __future__ import annotations

import secrets
from datetime import datetime

from newsletter import config
from newsletter.domain.lifecycle import (
    Action,
    Confirm,
    Decision,
    MailchimpStatus,
    SignUp,
    Status,
    TakeOver,
)
from newsletter.domain.limits import request_ends
from newsletter.storage.models import Subscription
from newsletter.subscriptions import takeover
from newsletter.subscriptions.person import OPEN, Known, Person, Unknown, keep_address


def new_row(person: Person, decision: Decision, action: Action) -> Known:
    """The person with a new row, which the caller inserts."""
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
            # Staff block an unknown address: Mailchimp may have the contact, and the worker looks it up.
            row.audience = MailchimpStatus.UNKNOWN
    if isinstance(action, TakeOver):
        takeover.fill_in(row, action)
    return person.with_row(row)


def record_consent(row: Subscription, decision: Decision, action: Action) -> str | None:
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


def link_expiry(row: Subscription, decision: Decision, now: datetime) -> datetime | None:
    if decision.status not in OPEN:
        return None
    if decision.keeps_end:
        return row.expires_at
    return request_ends(row.since, now, config.current().link_days)


def begin_round(row: Subscription, before: Status, now: datetime) -> None:
    """Begin a new round when somebody leaves, so that no earlier link is valid."""
    if before is not Status.RETURNING:
        row.left_at = now
    row.round += 1
    row.replaces_ref = None
    if row.audience is MailchimpStatus.REFUSED:
        row.audience = MailchimpStatus.ABSENT
