"""An e-mail address, parsed once: whoever holds an Address knows that the check was done.

Syntax is checked by email-validator, without DNS: a name server that is away must not turn people away.
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
#: What Mailchimp may hold before the @: a quoted string, or anything that ends no path of SMTP.
_HELD = re.compile(r"""\"[^"\\<>]*\"|[^\s"<>@]+""")
#: The only form that letters are sent to (RFC 5321 § 4.1.2 without quoted strings; dots as some providers have them).
_MAILABLE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
#: How an encoded word begins (RFC 2047). Readers decode it, also where it has no business, to any text at all.
_ENCODED_WORD = re.compile(r"=\?.*\?")
_ONLY_DIGITS_LAST = re.compile(
    r"(?:.*\.)?[0-9]+"
)  #: an IPv4 address, or no domain at all (RFC 3696 § 2)
_RESERVED = tuple(f"{before}{name}" for name in SPECIAL_USE_DOMAIN_NAMES for before in ".@")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def without_edges(given: str) -> str:
    """Leave out what is invisible around a text and comes along when it is copied or sent.

    That is any blank, no-break ones and line ends included, and characters of format: zero-width blanks and joiners,
    marks of direction, the byte order mark. Inside, all of them count.
    """
    seen = [at for at, it in enumerate(given) if not it.isspace() and category(it) != "Cf"]
    return given[seen[0] : seen[-1] + 1] if seen else ""


@dataclass(frozen=True)
class Address:
    """One address: `text` as letters are sent to it, its domain in ASCII; `key` as people are told apart."""

    text: str
    key: str

    @classmethod
    def parse(cls, given: str) -> Self:
        """Take an address for a sign-up, strictly; raise InvalidAddress, or ReservedAddress.

        Internationalised domains become their ASCII form (RFC 5891). A local part beyond ASCII is refused,
        since neither every mail server nor Mailchimp takes it (RFC 6531).
        """
        try:
            valid = validate_email(
                without_edges(given), check_deliverability=False, allow_smtputf8=False, strict=True
            )
        except EmailNotValidError as error:
            is_reserved = without_edges(given).lower().endswith(_RESERVED)
            raise (ReservedAddress if is_reserved else InvalidAddress) from error
        address = cls._of(valid.ascii_local_part or "", valid.ascii_domain)
        if len(address.text) > LONGEST:
            raise InvalidAddress
        return address

    @classmethod
    def as_held(cls, given: str) -> Self:
        """Take whatever Mailchimp or our own rows may hold, leniently, so that it can be blocked and erased.

        Only what can be no address anywhere is refused: without an @ inside, with a control character, or with
        something else than a host after the @.
        """
        try:
            return cls.parse(given)
        except InvalidAddress:
            text = without_edges(given)
        local, _, domain = text.rpartition("@")
        if not _HELD.fullmatch(local) or not text.isprintable() or len(text) > 4 * LONGEST:
            raise InvalidAddress
        return cls._of(local, domain)

    @classmethod
    def _of(cls, local: str, domain: str) -> Self:
        try:
            domain = ascii_name(domain)
        except ValueError as error:
            raise InvalidAddress from error
        if _ENCODED_WORD.search(local) or _ONLY_DIGITS_LAST.fullmatch(domain):
            raise InvalidAddress
        return cls.kept(f"{local}@{domain}")

    @classmethod
    def kept(cls, text: str) -> Self:
        """Take back an Address's own text, which needs no second check."""
        return cls(text, text.lower())

    @property
    def is_mailable(self) -> bool:
        """Tell whether it can stand in a header and in a command to a mail server as it is, meaning nothing else."""
        is_plain = _MAILABLE.fullmatch(self.text) and not _ENCODED_WORD.search(self.text)
        return bool(is_plain) and len(self.text) <= LONGEST

    @property
    def mailbox(self) -> str:
        """The same in every spelling that leads to one mailbox: without a tag, and at Gmail without dots.

        Letters are counted by it; people are told apart by `key` alone, since other servers need not do likewise.
        """
        local, _, domain = self.key.rpartition("@")
        local = local.partition("+")[0] or local
        if domain in _GMAIL:
            local, domain = local.replace(".", "") or local, "gmail.com"
        return f"{local}@{domain}"

    def __repr__(self) -> str:
        """Show nothing: a representation ends up in logs and tracebacks."""
        return "Address(…)"

    __str__ = __repr__
