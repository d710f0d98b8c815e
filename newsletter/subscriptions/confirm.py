"""Confirming a request by the button on the page of its link."""

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
    lock_with_replaced,
)
from newsletter.subscriptions.family import replaced_by
from newsletter.subscriptions.leave import receipt_url, unsubscribe_url
from newsletter.subscriptions.links import Link, Purpose
from newsletter.subscriptions.transition import act
from newsletter.texts import versions

CONFIRM_PAGE = "pages/confirm.html"


@dataclass(frozen=True)
class OpenRequest:
    """What the confirmation page shows."""

    consent: ConsentText
    expires_at: datetime | None
    is_confirmed: bool


@dataclass(frozen=True)
class Consent:
    """What the success page shows."""

    reference: str
    confirmed_at: datetime
    language: Locale
    unsubscribe_url: str
    receipt_url: str | None  #: None once the confirmation is an hour old
    my_data_url: str | None  #: None at the same time


def open_request(link: Link) -> OpenRequest:
    """The request of a confirmation link; raise OutdatedLink."""
    with reading() as session:
        row = session.get(Subscription, link.ref)
        if row is None:
            raise OutdatedLink
        is_confirmed = row.status is Status.CONFIRMED
        is_open = row.expires_at is not None and row.expires_at > clock.now() and not row.hold
        agreed = _text_in_letter(session, link)
        if row.round != link.round or agreed is None or not (is_confirmed or is_open):
            raise OutdatedLink(row.locale)
        return OpenRequest(agreed, row.expires_at, is_confirmed)


def _text_in_letter(session: Session, link: Link) -> ConsentText | None:
    """The consent text of the letter that contains the link, even if the letter has been deleted."""
    (hash_,) = statements.fetch(
        session, _TEXT_OF_SIGNUP, ref=link.ref, round=link.round, second=link.written_at
    )
    return wording.find_any(session, hash_) if hash_ else None


# A sign-up and its letter have the same time; the link contains its second. A further sign-up in the same second
# gets no letter, so the first one is meant.
_TEXT_OF_SIGNUP = select(
    select(LedgerRow.wording)
    .where(
        LedgerRow.ref == bindparam("ref"),
        LedgerRow.round == bindparam("round"),
        LedgerRow.event == literal_column(f"'{Event.SIGNUP}'"),
        LedgerRow.at >= bindparam("second"),
    )
    .order_by(LedgerRow.id)
    .limit(1)
    .scalar_subquery()
)


def confirm(link: Link, *, on_page: bool = False) -> Consent:
    """Confirm; raise OutdatedLink. A repeated call changes nothing and returns the same.

    `on_page`: by the button of our own page.
    """
    with writing() as session:
        person = lock_with_replaced(session, link.ref)
        if person is None:
            raise OutdatedLink
        row = person.row
        agreed = _text_in_letter(session, link)
        if row.round != link.round or agreed is None:
            raise OutdatedLink(row.locale)
        template = versions.of_page(CONFIRM_PAGE, agreed.language) if on_page else None
        with statements.together(session):
            decision = act(person, Confirm(agreed, template)).decision
        if decision.changes and row.replaces_ref:
            if agrees_to_replace(session, link, row):
                for replaced in replaced_by(session, row.ref):
                    block_rectified(session, replaced)
                row.follows_ref = row.replaces_ref
            row.replaces_ref = None
        if row.status is not Status.CONFIRMED:
            raise OutdatedLink(row.locale)
    # Whoever finds the letter later must get neither the receipt nor the data.
    age = person.now - row.since
    return Consent(
        row.ref,
        row.since,
        agreed.language,
        unsubscribe_url(row.ref),
        receipt_url(row) if age <= links.RECEIPT_VALID_FOR else None,
        # The hour begins with the confirmation, not with a later press of the button.
        links.url_for(Purpose.MY_DATA, Link(row.ref, written_at=row.since))
        if age < links.MY_DATA_VALID_FOR
        else None,
    )
