"""Reads a letter as the most careless readers do: the standard library of Python 3.11.0, emulated.

It decodes encoded words (RFC 2047) wherever they stand in an address header, in the local part and in quotes too, to
line breaks and commas if that is what they hold; written out again, those begin headers and addresses of their own.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from email.utils import getaddresses

_ENCODED_WORD = re.compile(r"=\?([^?]*)\?([^?]*)\?(.*?)\?=", re.DOTALL)


def headers_of(octets: bytes) -> list[tuple[str, str]]:
    """Every header with its encoded words decoded, and whatever comes of reading that once more."""
    head = re.split(rb"\r?\n\r?\n", octets, maxsplit=1)[0].decode("ascii", "surrogateescape")
    decoded = "\n".join(_decoded(line) for line in re.split(r"\r?\n(?![ \t])", head))
    name_and_value = (line.partition(":") for line in re.split(r"[\r\n\x85\u2028\u2029]+", decoded))
    return [(name.lower(), value.strip()) for name, _, value in name_and_value]


def addresses_in(octets: bytes, header: str) -> list[str]:
    """The addresses that such a reader finds in a header."""
    values = [value for name, value in headers_of(octets) if name == header]
    return [address for _, address in getaddresses(values)]


def _decoded(line: str) -> str:
    """A header on one line; whatever looks like an encoded word is decoded, with no rule of RFC 2047 § 5 minded."""
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", line)
    return _ENCODED_WORD.sub(_text_of, re.sub(r"(\?=)\s+(?==\?)", r"\1", unfolded))


def _text_of(word: re.Match[str]) -> str:
    charset, encoding, text = word[1].partition("*")[0], word[2].lower(), word[3].encode()
    try:
        octets = (
            base64.b64decode(text + b"==")
            if encoding == "b"
            else quopri.decodestring(text, header=True)
        )
        return octets.decode(charset or "ascii", "replace")
    except (LookupError, ValueError, binascii.Error):
        return word[0]
