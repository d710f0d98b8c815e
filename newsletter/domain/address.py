"""An e-mail address: an Address exists only once its text was checked.

email-validator checks the syntax. DNS is not asked: a failing name server must not refuse a sign-up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from unicodedata import category

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from newsletter.domain.errors import InvalidAddress, ReservedAddress
from newsletter.domain.hosts import ascii_name

LONGEST = 254  #: octets, RFC 5321 § 4.5.3.1.3
#: A local part that Mailchimp may have stored: a quoted string, or anything without a character that ends an SMTP path.
_LENIENT_LOCAL = re.compile(r"""\"[^"\\<>]*\"|[^\s"<>@]+""")
#: The only form that letters are sent to (RFC 5321 § 4.1.2 without quoted strings; dots as some providers have them).
_MAILABLE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
#: An encoded word (RFC 2047). Mail programs decode it to any text, even where the RFC does not allow one.
_ENCODED_WORD = re.compile(r"=\?.*\?")
#: An IPv4 address, or no domain at all (RFC 3696 § 2).
_NUMERIC_TOP_LEVEL = re.compile(r"(?:.*\.)?[0-9]+")
_RESERVED = tuple(f"{separator}{name}" for name in SPECIAL_USE_DOMAIN_NAMES for separator in ".@")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def trimmed(text: str) -> str:
    """Strip white space and invisible format characters (Unicode category Cf), which copying a text may add."""
    first = next((at for at, it in enumerate(text) if _is_visible(it)), len(text))
    unseen = next((at for at, it in enumerate(reversed(text)) if _is_visible(it)), 0)
    return text[first : len(text) - unseen]


def _is_visible(character: str) -> bool:
    return not character.isspace() and category(character) != "Cf"


@dataclass(frozen=True)
class Address:
    """`text`: as letters are sent to it, with the domain in ASCII. `key`: identifies the person."""

    text: str
    key: str

    @classmethod
    def parse(cls, given: str) -> Self:
        """Parse strictly, as for a sign-up; raise InvalidAddress, or ReservedAddress.

        Internationalised domains become their ASCII form (RFC 5891). A local part beyond ASCII is refused,
        since neither every mail server nor Mailchimp takes it (RFC 6531).
        """
        try:
            valid = validate_email(
                trimmed(given), check_deliverability=False, allow_smtputf8=False, strict=True
            )
        except EmailNotValidError as error:
            is_reserved = trimmed(given).lower().endswith(_RESERVED)
            raise (ReservedAddress if is_reserved else InvalidAddress) from error
        address = cls._of(valid.ascii_local_part or "", valid.ascii_domain)
        if len(address.text) > LONGEST:
            raise InvalidAddress
        return address

    @classmethod
    def parse_leniently(cls, given: str) -> Self:
        """Parse what Mailchimp or our own rows may contain, so that it can be blocked and erased; raise InvalidAddress.

        Refused is only what cannot be an address: without an @, with a control character, or without a host after
        the @.
        """
        try:
            return cls.parse(given)
        except InvalidAddress:
            text = trimmed(given)
        local, _, domain = text.rpartition("@")
        if not _LENIENT_LOCAL.fullmatch(local) or not text.isprintable() or len(text) > 4 * LONGEST:
            raise InvalidAddress
        return cls._of(local, domain)

    @classmethod
    def _of(cls, local: str, domain: str) -> Self:
        try:
            domain = ascii_name(domain)
        except ValueError as error:
            raise InvalidAddress from error
        if _ENCODED_WORD.search(local) or _NUMERIC_TOP_LEVEL.fullmatch(domain):
            raise InvalidAddress
        return cls.unchecked(f"{local}@{domain}")

    @classmethod
    def unchecked(cls, text: str) -> Self:
        """Restore an Address from its own `text`."""
        return cls(text, text.lower())

    @property
    def is_mailable(self) -> bool:
        """Whether it can be put into a header and an SMTP command as it is, without another meaning."""
        is_plain = _MAILABLE.fullmatch(self.text) and not _ENCODED_WORD.search(self.text)
        return bool(is_plain) and len(self.text) <= LONGEST

    @property
    def mailbox(self) -> str:
        """The same for all spellings that lead to one mailbox: without a tag, and at Gmail without dots.

        Letters are counted by it. People are identified by `key` alone, since other servers may treat tags differently.
        """
        local, _, domain = self.key.rpartition("@")
        local = local.partition("+")[0] or local
        if domain in _GMAIL:
            local, domain = local.replace(".", "") or local, "gmail.com"
        return f"{local}@{domain}"

    def __repr__(self) -> str:
        """Without the address: a representation ends up in logs and tracebacks."""
        return "Address(…)"

    __str__ = __repr__
