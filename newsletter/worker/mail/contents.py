"""The content of an e-mail when it is sent, and the evidence that is kept of it."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.config import Locale
from newsletter.domain import clock, periods
from newsletter.domain.clock import rfc3339
from newsletter.domain.lifecycle import Event
from newsletter.storage.database import reading
from newsletter.storage.models import LedgerRow, Letter, LetterKind, Subscription, Wording
from newsletter.subscriptions import links
from newsletter.subscriptions.leave import unsubscribe_url
from newsletter.subscriptions.letters import open_evidence
from newsletter.subscriptions.links import Link, Purpose
from newsletter.subscriptions.person import OPEN, address_of, standing_of
from newsletter.texts.letters import ConfirmationValues, LetterValues, MyDataValues, WayBackValues

#: Replaces a link in the evidence.
_GONE = {"de": "[Link nicht aufbewahrt]", "en": "[link not kept]"}


def values_of(letter_id: str) -> LetterValues | None:
    """The values for a letter's template; None if the letter is not needed any more."""
    with reading() as session:
        letter = session.scalar(select(Letter).where(Letter.id == letter_id))
        row = session.get(Subscription, letter.ref) if letter else None
        if letter is None or row is None:
            return None
        if letter.kind is LetterKind.MY_DATA:
            return _my_data(letter, row)
        if row.round != letter.round:
            return None
        match letter.kind:
            case LetterKind.CONFIRMATION:
                return _confirmation(session, letter, row)
            case LetterKind.WAY_BACK:
                return _way_back(session, letter, row)


def evidence_of(values: LetterValues, message: EmailMessage, reply: str) -> dict[str, Any]:
    """What is kept of a letter: its whole text, without the links that are only for the recipient."""
    return {
        "message_id": values.message_id,
        "reply": reply,
        **_as_sent(values, message),
        "values": {
            name: rfc3339(value) if isinstance(value, datetime) else value
            for name, value in vars(values).items()
            if name not in values.opening
        },
    }


def _as_sent(values: LetterValues, message: EmailMessage) -> dict[str, str]:
    """Subject and plain text without the links; neither, if a link was split and is still there in pieces."""
    part = message.get_body(("plain",))
    assert part is not None  # noqa: S101 - tells mypy; every letter has one
    texts = {"subject": str(message["Subject"]), "text": str(part.get_content())}
    urls = [getattr(values, name) for name in values.opening]
    ends = [url.rpartition("/")[2] for url in urls]
    for link in (*urls, *ends):
        texts = {name: text.replace(link, _GONE[values.language]) for name, text in texts.items()}
    # A brand's template may break a long line, and so a link.
    squashed = "".join("".join(texts.values()).split())
    return {} if any(end in squashed for end in ends) else texts


def _confirmation(session: Session, letter: Letter, row: Subscription) -> ConfirmationValues | None:
    """None if the request was confirmed or has ended."""
    agreed, recipient = session.get(Wording, letter.wording), address_of(row)
    is_open = row.status in OPEN and row.expires_at is not None and row.expires_at > clock.now()
    if agreed is None or recipient is None or not is_open:
        return None
    assert row.expires_at is not None  # noqa: S101 - tells mypy; it is open
    link = Link(row.ref, row.round, letter.written_at)
    return ConfirmationValues(
        recipient=recipient.text,
        language=_language(agreed),
        consent_text=agreed.text,
        requested_at=letter.written_at,
        expires_at=row.expires_at,
        deleted_by=row.expires_at + periods.PENDING_GRACE,
        confirm_url=links.url_for(Purpose.CONFIRM, link),
        not_me_url=links.url_for(Purpose.NOT_ME, link),
        is_correction=row.replaces_ref is not None,
        from_our_form=_is_from_our_form(session, letter),
        reference=row.ref,
        message_id=_message_id(letter),
        sent_at=clock.now(),
    )


def _is_from_our_form(session: Session, letter: Letter) -> bool:
    """Tell whether the sign-up that the letter answers, which bears the same time, came from the hosted form."""
    query = select(LedgerRow.template).where(
        LedgerRow.ref == letter.ref,
        LedgerRow.round == letter.round,
        LedgerRow.event == Event.SIGNUP,
        LedgerRow.at == letter.written_at,
    )
    return session.scalar(query.order_by(LedgerRow.id).limit(1)) is not None


def _way_back(session: Session, letter: Letter, row: Subscription) -> WayBackValues | None:
    """None if Mailchimp has added the person meanwhile."""
    agreed, recipient = session.get(Wording, letter.wording), address_of(row)
    signup_url = config.current().mailchimp_signup_url
    if agreed is None or recipient is None or signup_url is None:
        return None
    if not standing_of(row, clock.now()).needs_way_back:
        return None
    return WayBackValues(
        recipient=recipient.text,
        language=_language(agreed),
        confirmed_at=row.since,
        signup_url=signup_url,
        unsubscribe_url=unsubscribe_url(row.ref),
        reference=row.ref,
        message_id=_message_id(letter),
        sent_at=clock.now(),
    )


def _my_data(letter: Letter, row: Subscription) -> MyDataValues | None:
    """It is needed in every round; the link is valid for an hour from now, since the letter may have been queued."""
    recipient, now = address_of(row), clock.now()
    if recipient is None:
        return None
    return MyDataValues(
        recipient=recipient.text,
        language="en" if row.locale == "en" else "de",
        requested_at=letter.written_at,
        expires_at=now + links.MY_DATA_HOLDS,
        my_data_url=links.url_for(Purpose.MY_DATA, Link(row.ref, written_at=now)),
        reference=row.ref,
        message_id=_message_id(letter),
        sent_at=now,
    )


def _language(agreed: Wording) -> Locale:
    return "en" if agreed.language == "en" else "de"


def _message_id(letter: Letter) -> str:
    return str(open_evidence(letter)["message_id"])
