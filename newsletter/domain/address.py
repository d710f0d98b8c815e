"""An e-mail address, parsed once: whoever holds an Address knows that the check was done.

Syntax is checked by email-validator, without DNS: a name server that is away must not turn people away.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import idna
from email_validator import EmailNotValidError, validate_email

from newsletter.domain.errors import InvalidAddress

LONGEST = 254  #: octets, RFC 5321 § 4.5.3.1.3


@dataclass(frozen=True)
class Address:
    """One address: `text` as letters are sent to it, its domain in ASCII; `key` as people are told apart."""

    text: str
    key: str

    @classmethod
    def parse(cls, given: str) -> Self:
        """Take an address for a sign-up, strictly; raise InvalidAddress.

        Internationalised domains become their ASCII form (RFC 5891). A local part beyond ASCII is refused,
        since neither every mail server nor Mailchimp takes it (RFC 6531).
        """
        try:
            valid = validate_email(
                given.strip(" \t"), check_deliverability=False, allow_smtputf8=False, strict=True
            )
        except EmailNotValidError as error:
            raise InvalidAddress from error
        text = valid.ascii_email
        if text is None or len(text) > LONGEST:
            raise InvalidAddress
        return cls(text, text.lower())

    @classmethod
    def as_held(cls, given: str) -> Self:
        """Take whatever Mailchimp or our own rows may hold, leniently, so that it can be blocked and erased.

        Only what can be no address anywhere is refused: without an @ inside, or with a control character.
        """
        try:
            return cls.parse(given)
        except InvalidAddress:
            text = given.strip(" \t")
        local, at, domain = text.rpartition("@")
        if not (local and at and domain) or not text.isprintable() or len(text) > 4 * LONGEST:
            raise InvalidAddress
        with suppress(UnicodeError):  # idna.IDNAError is one
            domain = idna.encode(domain, uts46=True).decode("ascii")
        text = f"{local}@{domain}"
        return cls(text, text.lower())

    @classmethod
    def kept(cls, text: str) -> Self:
        """Take back an Address's own text, which needs no second check."""
        return cls(text, text.lower())

    def __repr__(self) -> str:
        """Show nothing: a representation ends up in logs and tracebacks."""
        return "Address(…)"

    __str__ = __repr__
