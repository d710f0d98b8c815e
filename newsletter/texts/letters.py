"""Renders the e-mails, as plain text and as HTML with the same words.

They are neutral on purpose: a logo, a welcome or an invitation to ask questions made a confirmation e-mail unsolicited
advertising (LG Stendal, 22 S 87/20). The templates are complete files per language in templates/letters/ or BRAND_DIR.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from flask import current_app

from newsletter.config import Locale, Settings
from newsletter.domain.address import Address
from newsletter.storage.models import LetterKind
from newsletter.texts import headers
from newsletter.texts.headers import Written

PARTS = ("subject", "txt", "html")
_BOUNDARY = "=_part"  #: no quoted-printable text can contain it (RFC 2045 § 6.7)


# Without a repr: the links give access to data, and the recipient is personal data.
@dataclass(frozen=True, repr=False, kw_only=True)
class _Values:
    """The values of every e-mail; times are aware, `message_id` includes its angle brackets."""

    kind: ClassVar[LetterKind]
    #: The links that only the recipient may have: no record keeps them.
    opening: ClassVar[tuple[str, ...]]

    recipient: str
    language: Locale
    reference: str
    message_id: str
    sent_at: datetime


@dataclass(frozen=True, repr=False, kw_only=True)
class ConfirmationValues(_Values):
    """The values of a confirmation e-mail."""

    kind = LetterKind.CONFIRMATION
    opening = ("confirm_url", "not_me_url")

    consent_text: str
    requested_at: datetime
    expires_at: datetime
    deleted_by: datetime
    confirm_url: str
    not_me_url: str
    is_correction: bool = False  #: whether it replaces an earlier address
    from_our_form: bool = False  #: whether the form was the one on our own host


@dataclass(frozen=True, repr=False, kw_only=True)
class WayBackValues(_Values):
    """The values of a way-back e-mail, to a person whom Mailchimp does not let us add: `signup_url` is its own form."""

    kind = LetterKind.WAY_BACK
    opening = ("unsubscribe_url",)

    confirmed_at: datetime
    signup_url: str
    unsubscribe_url: str


@dataclass(frozen=True, repr=False, kw_only=True)
class MyDataValues(_Values):
    """The values of a my-data e-mail: the link, and until when it is valid."""

    kind = LetterKind.MY_DATA
    opening = ("my_data_url",)

    requested_at: datetime
    expires_at: datetime
    my_data_url: str


LetterValues = ConfirmationValues | WayBackValues | MyDataValues


# Not printable: it is all that a letter says, links included.
@dataclass(frozen=True, repr=False, kw_only=True)
class Finished:
    """A letter as it leaves, and its envelope. Whoever holds one knows that it was verified; raises UnsafeLetter.

    `octets` is what follows DATA, before dots are doubled; `text` is its plain text.
    """

    sender: str
    recipient: str
    subject: str
    text: str
    octets: bytes

    def __post_init__(self) -> None:
        headers.verify(self.octets, sender=self.sender, recipient=self.recipient)

    @classmethod
    def of(cls, message: EmailMessage, sender: str, recipient: str) -> Self:
        """The octets of a message; raise UnsafeLetter."""
        plain = message.get_body(("plain",))
        return cls(
            sender=sender,
            recipient=recipient,
            subject=str(message["Subject"]),
            text=str(plain.get_content()) if plain is not None else "",
            octets=message.as_bytes(policy=headers.POLICY),
        )


def finish(values: LetterValues, settings: Settings) -> Finished:
    """Write a letter, ready to leave; raise UnsafeLetter where it would not be what was meant."""
    return Finished.of(compose(values, settings), settings.sender.address.text, values.recipient)


def compose(values: LetterValues, settings: Settings) -> EmailMessage:
    """Write a letter; raise UnsafeLetter for what cannot stand in a header."""
    subject = _render("subject", values, settings).strip()
    message = EmailMessage(policy=headers.POLICY)
    for header in _written(values, settings, subject):
        message[header.name] = header
    message["Date"] = values.sent_at
    # No out-of-office reply, please: RFC 3834 § 5, and Exchange's own way of saying it (MS-OXCMAIL § 2.2.3.2.14).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_render("txt", values, settings), cte="quoted-printable")
    twin = _render("html", values, settings, subject=subject)
    message.add_alternative(twin, subtype="html", cte="quoted-printable")
    # Only now: the first part took with it whatever Content-… headers stood there.
    message["Content-Language"] = values.language
    message.set_boundary(_BOUNDARY)
    for part in message.iter_parts():
        del part["MIME-Version"]  # it belongs to the whole message, once
    return message


def _written(values: LetterValues, settings: Settings, subject: str) -> Iterator[Written]:
    """Every header that holds a setting or a person's address."""
    sender, contact = settings.sender, Address.parse_leniently(settings.contact_email)
    yield headers.mailbox("From", sender.address, sender.name)
    yield headers.mailbox("To", Address.unchecked(values.recipient))
    if contact.key != sender.address.key:
        yield headers.mailbox("Reply-To", contact)
    yield headers.text("Subject", subject)
    yield headers.message_id(values.message_id)


def name_of(kind: LetterKind, language: Locale, part: str) -> str:
    """The name of an e-mail's template; the part is `subject`, `txt` or `html`."""
    return f"letters/{kind}.{language}.{part}"


def _render(part: str, values: LetterValues, settings: Settings, **more: Any) -> str:
    template = current_app.jinja_env.get_template(name_of(values.kind, values.language, part))
    host = urlsplit(settings.public_url).hostname
    return template.render(letter=values, settings=settings, zone=settings.zone, host=host, **more)
