"""Links: signed, bound to one purpose and one round, without the address.

A token is 44 characters of A-Z, a-z, 0-9, `-` and `_`, base64url of these bytes:

    4  when the letter was written, or the link made: seconds since 1970
    16 the reference
    12 the signature of the rest, HMAC-SHA-256 with a key for each purpose
    1  the round; more from round 256 on

The row says when a confirmation link expires, since signing up again extends it. The links to the person's data and to
the receipt expire an hour after their time. The unsubscribe link never expires and is always the same: its time and
round are 0.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.signer import HMACAlgorithm
from pydantic import SecretStr

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.errors import ExpiredLink, UnknownLink

MY_DATA_VALID_FOR = RECEIPT_VALID_FOR = timedelta(hours=1)

# The time comes first and the round last, so that the first and the last character are letters or digits (until the
# year 2101 and round 61): programs that detect links in plain text leave out a hyphen at the end.
_HEAD = struct.Struct(">I16s")
# 96 bits: every guess is a request to this service. A million guesses a second for a thousand years find one link with
# a probability of 4 in 10^13.
_SIGNATURE = 12
_NO_TIME = datetime.fromtimestamp(0, UTC)


class Purpose(StrEnum):
    """What a link is for; the value is its part of the URL."""

    CONFIRM = "confirm"
    NOT_ME = "not-me"
    UNSUBSCRIBE = "unsubscribe"
    MY_DATA = "my-data"
    RECEIPT = "receipts"


@dataclass(frozen=True)
class Link:
    """The contents of a token: reference, round, and the second in which the letter or the link was written."""

    ref: str
    round: int = 0
    written_at: datetime = _NO_TIME


def url_for(purpose: Purpose, link: Link) -> str:
    head = _HEAD.pack(int(link.written_at.timestamp()), bytes.fromhex(link.ref))
    round_ = link.round.to_bytes(max(1, (link.round.bit_length() + 7) // 8))
    signature = base64_decode(_signer(purpose).get_signature(head + round_))
    token = base64_encode(head + signature + round_).decode()
    return f"{config.current().public_url}/{purpose}/{token}"


def read(purpose: Purpose, token: str) -> Link:
    """Verify a token; raise UnknownLink if it was not signed here for this purpose, ExpiredLink for a late receipt."""
    try:
        octets = base64_decode(token)
        # Decoding ignores unused bits and trailing characters: only one spelling of a token is valid.
        is_canonical = base64_encode(octets).decode() == token
        seconds, ref = _HEAD.unpack_from(octets)
    except (BadData, ValueError, struct.error) as error:
        raise UnknownLink from error
    end = _HEAD.size + _SIGNATURE
    head, signature, round_ = octets[: _HEAD.size], octets[_HEAD.size : end], octets[end:]
    is_signed = _signer(purpose).verify_signature(head + round_, base64_encode(signature))
    if not (is_canonical and is_signed):
        raise UnknownLink
    link = Link(ref.hex(), int.from_bytes(round_), datetime.fromtimestamp(seconds, UTC))
    if purpose is Purpose.RECEIPT and clock.now() - link.written_at > RECEIPT_VALID_FOR:
        raise ExpiredLink
    return link


class _TruncatedHmac(HMACAlgorithm):
    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return super().get_signature(key, value)[:_SIGNATURE]


def _signer(purpose: Purpose) -> Signer:
    return _signer_with(purpose, tuple(config.current().secret_key))


@cache
def _signer_with(purpose: Purpose, keys: tuple[SecretStr, ...]) -> Signer:
    # itsdangerous signs with the last key of its list; the setting has the newest first.
    return Signer(
        [key.get_secret_value() for key in reversed(keys)],
        salt=f"newsletter {purpose}",
        key_derivation="hmac",
        digest_method=hashlib.sha256,
        algorithm=_TruncatedHmac(hashlib.sha256),
    )
