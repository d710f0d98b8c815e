"""The letters people get: neutral in every word, and the same words as plain text and as HTML.

Neutral on purpose: a logo, a welcome or an invitation to ask questions made a confirmation letter unsolicited
advertising (LG Stendal, 22 S 87/20). Every letter is whole files per language under templates/letters/, or BRAND_DIR's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address as Mailbox
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import parseaddr
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

from flask import current_app
from jinja2 import Environment

from newsletter.config import Locale, Settings
from newsletter.domain.address import Address
from newsletter.storage.models import LetterKind
from newsletter.texts import brand

_PARTS = ("subject", "txt", "html")
_ENCODED_WORD = (
    74  #: characters; one less than RFC 2047 § 2 allows, as Python counts without the blank
)


# Not printable: the links open what they lead to, and the recipient is personal data.
@dataclass(frozen=True, repr=False, kw_only=True)
class _Values:
    """What every letter says; times are aware, `message_id` has its angle brackets."""

    kind: ClassVar[LetterKind]
    #: Which links open what is the recipient's alone: no record keeps them.
    opening: ClassVar[tuple[str, ...]]

    recipient: str
    language: Locale
    reference: str
    message_id: str
    written_at: datetime


@dataclass(frozen=True, repr=False, kw_only=True)
class ConfirmationValues(_Values):
    """What a confirmation letter says."""

    kind = LetterKind.CONFIRMATION
    opening = ("confirm_url", "not_me_url")

    consent_text: str
    requested_at: datetime
    expires_at: datetime
    deleted_by: datetime
    confirm_url: str
    not_me_url: str
    is_correction: bool = False  #: of an address that they had before


@dataclass(frozen=True, repr=False, kw_only=True)
class WayBackValues(_Values):
    """What a letter says to somebody whom Mailchimp does not let us add: `signup_url` is its own form."""

    kind = LetterKind.WAY_BACK
    opening = ("unsubscribe_url",)

    confirmed_at: datetime
    signup_url: str
    unsubscribe_url: str


@dataclass(frozen=True, repr=False, kw_only=True)
class MyDataValues(_Values):
    """What a letter says to whoever asked what is held about them: the link, and until when it holds."""

    kind = LetterKind.MY_DATA
    opening = ("my_data_url",)

    requested_at: datetime
    expires_at: datetime
    my_data_url: str


LetterValues = ConfirmationValues | WayBackValues | MyDataValues


def compose(values: LetterValues, settings: Settings) -> EmailMessage:
    """Write a letter; raise ValueError for a line break in what becomes a header."""
    subject = _render("subject", values, settings).strip()
    message = EmailMessage(policy=_LETTER_POLICY)
    _address(message, values.recipient, settings)
    message["Subject"] = subject
    message["Date"] = values.written_at
    message["Message-ID"] = values.message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 § 5: no out-of-office reply, please
    message.set_content(_render("txt", values, settings), cte="quoted-printable")
    twin = _render("html", values, settings, subject=subject)
    message.add_alternative(twin, subtype="html", cte="quoted-printable")
    # Only now: the first part took with it whatever Content-… headers stood there.
    message["Content-Language"] = values.language
    for part in message.iter_parts():
        del part["MIME-Version"]  # it belongs to the whole, and there once
    return message


def template_version(kind: LetterKind, language: Locale) -> str:
    """Name the wording of a letter around what it quotes: SHA-256 over its templates in one language."""
    return _version(current_app.jinja_env, kind, language)


@lru_cache(maxsize=6)  # one application in a process, three kinds, two languages
def _version(environment: Environment, kind: LetterKind, language: Locale) -> str:
    digest = hashlib.sha256()
    for part in _PARTS:
        for name, text in brand.sources(environment, name_of(kind, language, part)).items():
            source = text.encode()
            digest.update(f"{name} {len(source)}\n".encode() + source)
    return digest.hexdigest()


def name_of(kind: LetterKind, language: Locale, part: str) -> str:
    """The name of a letter's template; the part is `subject`, `txt` or `html`."""
    return f"letters/{kind}.{language}.{part}"


def _render(part: str, values: LetterValues, settings: Settings, **more: Any) -> str:
    template = current_app.jinja_env.get_template(name_of(values.kind, values.language, part))
    host = urlsplit(settings.public_url).hostname
    return template.render(letter=values, settings=settings, zone=settings.zone, host=host, **more)


def _address(message: EmailMessage, recipient: str, settings: Settings) -> None:
    sender = _sender(settings)
    message["From"] = sender
    message["To"] = _mailbox("", recipient)
    contact = Address.as_held(settings.contact_email)
    if contact.key != Address.as_held(sender.addr_spec).key:
        message["Reply-To"] = _mailbox("", contact.text)


def _sender(settings: Settings) -> Mailbox:
    if settings.mail_from is None:
        return _mailbox(settings.organisation, settings.contact_email)
    name, address = parseaddr(settings.mail_from)
    return _mailbox(name, Address.as_held(address).text)


def _mailbox(name: str, address: str) -> Mailbox:
    local, _, domain = address.rpartition("@")
    return Mailbox(name, local, domain)


class _LetterPolicy(EmailPolicy):
    """SMTP's policy, but for the names of senders.

    Folding a long one, Python drops the quotation marks of "Smith, Jones (Ltd.)", so that parts of it become
    addresses (python/cpython#80222, repaired only lately), and blanks between encoded words.
    """

    def fold(self, name: str, value: str) -> str:
        if isinstance(value, AddressHeader) and value.addresses[0].display_name:
            return f"{name}: {_in_ascii(name, value.addresses[0], self.linesep)}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        if isinstance(value, AddressHeader) and value.addresses[0].display_name:
            return self.fold(name, value).encode("ascii")
        return super().fold_binary(name, value)


def _in_ascii(header: str, mailbox: Mailbox, linesep: str) -> str:
    """A mailbox as it travels: in ASCII on one line, else as encoded words (RFC 2047), each on its own."""
    if str(mailbox).isascii():
        return str(mailbox)
    name = Header(mailbox.display_name, "utf-8", maxlinelen=_ENCODED_WORD, header_name=header)
    return f"{name.encode(linesep=linesep)}{linesep} <{mailbox.addr_spec}>"


_LETTER_POLICY = _LetterPolicy(linesep="\r\n")
