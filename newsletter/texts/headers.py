"""The headers of an e-mail: written in their final form, and verified before it is sent.

Recipients come from strangers, senders from operators. Python's header objects parse a value again and decode encoded
words (RFC 2047) in an address: Python 3.11 even to line breaks, that is, to further headers and a body
(python/cpython#121650, fixed in later versions). So they are not used here.
"""

from __future__ import annotations

import re
from email.header import Header
from email.policy import SMTP, Policy
from typing import Self

from newsletter.domain.address import Address
from newsletter.domain.errors import UnsafeLetter

POLICY = SMTP.clone(cte_type="7bit")  #: CRLF and ASCII (RFC 5322, RFC 2045)
_LINE = 78  #: characters, RFC 5322 § 2.1.1
_LONGEST_LINE = 998  #: octets, RFC 5322 § 2.1.1
#: One less than RFC 2047 § 2 allows, since Python does not count the leading blank.
_ENCODED_WORD = 74
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.-]+@[A-Za-z0-9.:-]+>")
_FIELD = re.compile(rb"([A-Za-z-]+): ((?:[ -~]|\r\n [!-~])*)\r\n")
_ONCE = frozenset({"date", "from", "message-id", "subject", "to"})


class Written(str):
    """The text of a header; `fold` returns its final form, so that nothing parses it again."""

    __slots__ = ("_wire", "name")

    name: str
    _wire: str

    def __new__(cls, name: str, said: str, wire: str | None = None) -> Self:
        """`wire`: the same as `said` in ASCII, folded by line feeds."""
        header = super().__new__(cls, said)
        header.name, header._wire = name, said if wire is None else wire
        return header

    def fold(self, *, policy: Policy) -> str:
        """The whole header, as the standard library calls for it."""
        return f"{self.name}: {self._wire}\n".replace("\n", policy.linesep)


def mailbox(header: str, address: Address, name: str = "") -> Written:
    """A header with one address; raise UnsafeLetter for an address that cannot be written safely."""
    if not address.is_mailable:
        raise UnsafeLetter(header)
    if not name:
        return Written(header, address.text)
    shown, path = _clean(header, name), f"<{address.text}>"
    quoted = re.sub(r'(["\\])', r"\\\1", shown)
    whole = f'"{quoted}" {path}'
    if _is_plain(f"{header}: {whole}"):
        return Written(header, whole)
    return Written(header, f"{shown} {path}", f"{_encoded(header, shown)}\n {path}")


def text(header: str, said: str) -> Written:
    """A header of text; raise UnsafeLetter for a line break or another control character."""
    said = _clean(header, said)
    return Written(header, said, said if _is_plain(f"{header}: {said}") else _encoded(header, said))


def message_id(id_: str) -> Written:
    """The Message-ID, with its angle brackets; raise UnsafeLetter where it is invalid."""
    if not _MESSAGE_ID.fullmatch(id_):
        raise UnsafeLetter("Message-ID")
    return Written("Message-ID", id_)


def verify(octets: bytes, *, sender: str, recipient: str) -> None:
    """Raise UnsafeLetter unless a finished e-mail has each header once and only this sender and recipient.

    It checks octets without decoding them, so that no reader can find a second header or address.
    """
    for header, address in (("From", sender), ("To", recipient)):
        if not Address.unchecked(address).is_mailable:
            raise UnsafeLetter(header)
    head, blank, _body = octets.partition(b"\r\n\r\n")
    if not blank or not _has_whole_lines(octets):
        raise UnsafeLetter("line")
    fields = _fields(head + b"\r\n")
    if fields.get("to") != recipient:
        raise UnsafeLetter("To")
    name, _, path = fields.get("from", "").rpartition(" ")
    if path != (f"<{sender}>" if name else sender):
        raise UnsafeLetter("From")


def _has_whole_lines(octets: bytes) -> bool:
    """Tell whether all is ASCII, and each line ends in CRLF and is not too long."""
    ends = octets.count(b"\r\n")
    return (
        octets.isascii()
        and b"\x00" not in octets
        and octets.count(b"\r") == octets.count(b"\n") == ends
        and len(max(octets.split(b"\r\n"), key=len)) <= _LONGEST_LINE
    )


def _fields(head: bytes) -> dict[str, str]:
    """Headers by their name in lower case, unfolded; raise UnsafeLetter where one is doubled or missing."""
    end, fields = 0, list[tuple[str, str]]()
    while end < len(head):
        found = _FIELD.match(head, end)
        if found is None:
            raise UnsafeLetter("header")
        end = found.end()
        fields.append((found[1].decode().lower(), found[2].decode().replace("\r\n", "")))
    read = dict(fields)
    if len(read) < len(fields) or not read.keys() >= _ONCE:
        raise UnsafeLetter("header")
    return read


def _clean(header: str, said: str) -> str:
    if _CONTROL.search(said):
        raise UnsafeLetter(header)
    return said


def _is_plain(line: str) -> bool:
    """Tell whether a header's line needs neither encoding nor folding."""
    return line.isascii() and "=?" not in line and len(line) <= _LINE


def _encoded(header: str, said: str) -> str:
    """A text as encoded words (RFC 2047), one on each line."""
    return Header(said, "utf-8", maxlinelen=_ENCODED_WORD, header_name=header).encode()
