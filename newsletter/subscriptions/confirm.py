"""Confirming: the address's owner presses the button behind the link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.orm import Session

from newsletter.config import Locale
from newsletter.domain import clock
from newsletter.domain.consent import ConsentText
from newsletter.domain.errors import OutdatedLink
from newsletter.domain.lifecycle import Confirm, Event, Status
from newsletter.storage import statements
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Subscription
from newsletter.subscriptions import links, wording
from newsletter.subscriptions.corrections import (
    agrees_to_replace,
    block_rectified,
    meet_with_replaced,
)
from newsletter.subscriptions.family import replaced_by
from newsletter.subscriptions.leave import receipt_url, unsubscribe_url
from newsletter.subscriptions.links import Link
from newsletter.subscriptions.transition import act


@dataclass(frozen=True)
class OpenRequest:
    """What the confirmation page shows: the consent text, and until when it can be confirmed."""

    consent: ConsentText
    expires_at: datetime | None
    is_confirmed: bool


@dataclass(frozen=True)
class Consent:
    """What the person who confirmed is told."""

    reference: str
    confirmed_at: datetime
    language: Locale
    unsubscribe_url: str
    receipt_url: str | None  #: none once the confirmation is an hour old


def open_request(link: Link) -> OpenRequest:
    """Look at what a confirmation link asks for, changing nothing; raise OutdatedLink."""
    with reading() as session:
        row = session.get(Subscription, link.ref)
        if row is None:
            raise OutdatedLink
        is_confirmed = row.status is Status.CONFIRMED
        is_open = row.expires_at is not None and row.expires_at > clock.now() and not row.hold
        agreed = text_behind(session, link)
        if row.round != link.round or agreed is None or not (is_confirmed or is_open):
            raise OutdatedLink(row.locale)
        return OpenRequest(agreed, row.expires_at, is_confirmed)


def text_behind(session: Session, link: Link) -> ConsentText | None:
    """The text in the letter of the link: the sign-up's for which it was written, even if its row is gone."""
    asked = {"ref": link.ref, "round": link.round, "second": link.written_at}
    named = session.connection().execute(_TEXT_OF_SIGNUP, asked).scalar()
    return wording.kept(session, named) if named else None


# A sign-up and its letter bear the same time, of which the link names the second. One that follows in the same second
# gets no letter, so the first is meant.
_TEXT_OF_SIGNUP = (
    select(LedgerRow.wording)
    .where(
        LedgerRow.ref == bindparam("ref"),
        LedgerRow.round == bindparam("round"),
        LedgerRow.event == literal_column(f"'{Event.SIGNUP}'"),
        LedgerRow.at >= bindparam("second"),
    )
    .order_by(LedgerRow.id)
    .limit(1)
)


def confirm(link: Link) -> Consent:
    """The address's owner pressed the button; raise OutdatedLink. Again: the same answer, nothing more."""
    with writing() as session:
        person = meet_with_replaced(session, link.ref)
        if person is None:
            raise OutdatedLink
        row = person.row
        agreed = text_behind(session, link)
        if row.round != link.round or agreed is None:
            raise OutdatedLink(row.locale)
        with statements.together(session):
            decision = act(person, Confirm(agreed)).decision
        if decision.changes and row.replaces_ref:
            if agrees_to_replace(session, link, row):
                for replaced in replaced_by(session, row.ref):
                    block_rectified(session, replaced)
                row.follows_ref = row.replaces_ref
            row.replaces_ref = None
        if row.status is not Status.CONFIRMED:
            raise OutdatedLink(row.locale)
        # The receipt is for the person who confirms, not for somebody who finds the letter later.
        is_fresh = person.now - row.since <= links.RECEIPT_HOLDS
        receipt = receipt_url(row) if is_fresh else None
        return Consent(row.ref, row.since, agreed.language, unsubscribe_url(row.ref), receipt)
