"""Links: signed, bound to one purpose and one round, and never naming the address.

A token is 44 characters of A-Z, a-z, 0-9, `-` and `_`, base64url of these bytes:

    4  when the letter was written, or the link made: seconds since 1970
    16 the reference
    12 the signature of the rest, HMAC-SHA-256 with a key for each purpose
    1  the round; more from round 256 on

The end of a link is in the row, as asking again extends it; the links to somebody's own data and to their receipt end
by their time alone. The link to unsubscribe names no time and no round, as it never ends and is always the same.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.signer import HMACAlgorithm

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.errors import ExpiredLink, UnknownLink

#: How long a link to somebody's own data holds, and one to their receipt.
MY_DATA_HOLDS = RECEIPT_HOLDS = timedelta(hours=1)

# The time comes first and the round last, so that the first and the last character are letters or digits (until the
# year 2101 and round 61): programs that find links in a plain text leave out a hyphen at the end.
_HEAD = struct.Struct(">I16s")
# 96 bits: every guess is a request to this service, and a million of them in each second of a thousand years hit one
# link with a chance of 4 in 10^13. A longer signature would only make the link longer.
_SIGNATURE = 12
_NO_TIME = datetime.fromtimestamp(0, UTC)


class Purpose(StrEnum):
    """What a link is for; the value is its place in the URL."""

    CONFIRM = "confirm"
    NOT_ME = "not-me"
    UNSUBSCRIBE = "unsubscribe"
    MY_DATA = "my-data"
    RECEIPT = "receipts"


@dataclass(frozen=True)
class Link:
    """What a link names: a person by reference, the round, and the second in which it or its letter was written."""

    ref: str
    round: int = 0
    written_at: datetime = _NO_TIME


def url_for(purpose: Purpose, link: Link) -> str:
    """The whole URL, built from PUBLIC_URL alone."""
    head = _HEAD.pack(int(link.written_at.timestamp()), bytes.fromhex(link.ref))
    round_ = link.round.to_bytes(max(1, (link.round.bit_length() + 7) // 8))
    signature = base64_decode(_signer(purpose).get_signature(head + round_))
    token = base64_encode(head + signature + round_).decode()
    return f"{config.current().public_url}/{purpose}/{token}"


def read(purpose: Purpose, token: str) -> Link:
    """Take a token back; raise UnknownLink if we did not sign it for this purpose, ExpiredLink if its time is over."""
    try:
        said = base64_decode(token)
        # Base64 leaves bits unused and takes more at its end: such a twin is none of ours either.
        is_spelt_as_ours = base64_encode(said).decode() == token
        seconds, ref = _HEAD.unpack_from(said)
    except (BadData, ValueError, struct.error) as error:
        raise UnknownLink from error
    end = _HEAD.size + _SIGNATURE
    head, signature, round_ = said[: _HEAD.size], said[_HEAD.size : end], said[end:]
    is_signed = _signer(purpose).verify_signature(head + round_, base64_encode(signature))
    if not (is_spelt_as_ours and is_signed):
        raise UnknownLink
    link = Link(ref.hex(), int.from_bytes(round_), datetime.fromtimestamp(seconds, UTC))
    if purpose is Purpose.RECEIPT and clock.now() - link.written_at > RECEIPT_HOLDS:
        raise ExpiredLink
    return link


class _Shortened(HMACAlgorithm):
    """An HMAC cut to the length that a link has room for."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return super().get_signature(key, value)[:_SIGNATURE]


def _signer(purpose: Purpose) -> Signer:
    # itsdangerous signs with the last key of its list and compares in constant time; ours names the newest first.
    return Signer(
        [key.get_secret_value() for key in reversed(config.current().secret_key)],
        salt=f"newsletter {purpose}",
        key_derivation="hmac",
        digest_method=hashlib.sha256,
        algorithm=_Shortened(hashlib.sha256),
    )
