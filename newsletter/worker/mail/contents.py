"""The content of an e-mail when it is sent, and the evidence that is kept of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from newsletter import config
from newsletter.domain import clock, periods
from newsletter.domain.clock import rfc3339
from newsletter.storage.models import Letter, LetterKind, Subscription
from newsletter.subscriptions import links
from newsletter.subscriptions.leave import unsubscribe_url
from newsletter.subscriptions.letters import open_evidence
from newsletter.subscriptions.links import Link, Purpose
from newsletter.subscriptions.person import address_of, standing_of
from newsletter.texts.letters import (
    ConfirmationValues,
    Finished,
    LetterValues,
    MyDataValues,
    WayBackValues,
)
from newsletter.worker.mail.leases import Leased

#: Replaces a link in the evidence.
_GONE = {"de": "[Link nicht aufbewahrt]", "en": "[link not kept]"}


def values_of(leased: Leased) -> LetterValues | None:
    """The values for a letter's template; None if the letter is not needed any more."""
    letter, row = leased.letter, leased.row
    if letter.kind is not LetterKind.MY_DATA and row.round != letter.round:
        return None
    recipient = address_of(row)
    if recipient is None:
        return None
    if letter.kind is LetterKind.MY_DATA:
        return _my_data(letter, row, recipient.text)
    if letter.kind is LetterKind.CONFIRMATION:
        return _confirmation(leased, recipient.text)
    return _way_back(leased, recipient.text)


def evidence_of(values: LetterValues, letter: Finished, reply: str) -> dict[str, Any]:
    """What is kept of a letter: its whole text, without the links that are only for the recipient."""
    return {
        "message_id": values.message_id,
        "reply": reply,
        **_as_sent(values, letter),
        "values": {
            name: rfc3339(value) if isinstance(value, datetime) else value
            for name, value in vars(values).items()
            if name not in values.opening
        },
    }


def _as_sent(values: LetterValues, letter: Finished) -> dict[str, str]:
    """Subject and plain text without the links; neither, if a link was split and is still there in pieces."""
    texts = {"subject": letter.subject, "text": letter.text}
    urls = [getattr(values, name) for name in values.opening]
    ends = [url.rpartition("/")[2] for url in urls]
    for link in (*urls, *ends):
        texts = {name: text.replace(link, _GONE[values.language]) for name, text in texts.items()}
    # A brand's template may break a long line, and so a link.
    squashed = "".join("".join(texts.values()).split())
    return {} if any(end in squashed for end in ends) else texts


def _confirmation(leased: Leased, recipient: str) -> ConfirmationValues | None:
    """None if the request was confirmed or has ended."""
    letter, row, agreed = leased.letter, leased.row, leased.agreed
    # Only an open request has a time when it ends.
    if row.expires_at is None or row.expires_at <= clock.now():
        return None
    link = Link(row.ref, row.round, letter.written_at)
    return ConfirmationValues(
        recipient=recipient,
        language=agreed.language,
        consent_text=agreed.text,
        requested_at=letter.written_at,
        expires_at=row.expires_at,
        deleted_by=row.expires_at + periods.PENDING_GRACE,
        confirm_url=links.url_for(Purpose.CONFIRM, link),
        not_me_url=links.url_for(Purpose.NOT_ME, link),
        is_correction=row.replaces_ref is not None,
        from_our_form=leased.is_from_our_form,
        reference=row.ref,
        message_id=_message_id(letter),
        sent_at=clock.now(),
    )


def _way_back(leased: Leased, recipient: str) -> WayBackValues | None:
    """None if Mailchimp has added the person meanwhile."""
    row = leased.row
    signup_url = config.current().mailchimp_signup_url
    if signup_url is None or not standing_of(row, clock.now()).needs_way_back:
        return None
    return WayBackValues(
        recipient=recipient,
        language=leased.agreed.language,
        confirmed_at=row.since,
        signup_url=signup_url,
        unsubscribe_url=unsubscribe_url(row.ref),
        reference=row.ref,
        message_id=_message_id(leased.letter),
        sent_at=clock.now(),
    )


def _my_data(letter: Letter, row: Subscription, recipient: str) -> MyDataValues:
    """It is needed in every round; the link is valid for an hour from now, since the letter may have been queued."""
    now = clock.now()
    return MyDataValues(
        recipient=recipient,
        language=row.locale,
        requested_at=letter.written_at,
        expires_at=now + links.MY_DATA_VALID_FOR,
        my_data_url=links.url_for(Purpose.MY_DATA, Link(row.ref, written_at=now)),
        reference=row.ref,
        message_id=_message_id(letter),
        sent_at=now,
    )


def _message_id(letter: Letter) -> str:
    return str(open_evidence(letter)["message_id"])
