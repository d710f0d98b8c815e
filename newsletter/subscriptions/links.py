"""Links: signed, bound to one purpose and one round, and never naming the address.

A link's date of making is in it, but its end is in the row: asking again extends it. The links to somebody's own data
and to their receipt end by their date alone. Only the link to unsubscribe has no date, as it never ends and is always
the same. Signatures are HMAC-SHA-256 by itsdangerous, with a salt for each purpose.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.errors import OutdatedLink, UnknownLink

#: How long a link to somebody's own data holds, and one to their receipt.
MY_DATA_HOLDS = RECEIPT_HOLDS = timedelta(hours=1)


class Purpose(StrEnum):
    """What a link is for; the value is its place in the URL."""

    CONFIRM = "confirm"
    NOT_ME = "not-me"
    UNSUBSCRIBE = "unsubscribe"
    MY_DATA = "my-data"
    RECEIPT = "receipts"


@dataclass(frozen=True)
class Link:
    """What a link names: a person by reference, the round, the letter that carries it, and the text in that."""

    ref: str
    round: int
    letter: str | None = None
    wording: str | None = None
    #: To the second; None where it has no date, or was not read yet.
    made_at: datetime | None = field(default=None, compare=False)


def url_for(purpose: Purpose, link: Link) -> str:
    """The whole URL, built from PUBLIC_URL alone."""
    letter = f"{link.letter}:{link.wording}" if link.wording else link.letter
    token = _serializer(purpose).dumps([link.ref, link.round, letter])
    return f"{config.current().public_url}/{purpose}/{token}"


def read(purpose: Purpose, token: str) -> Link:
    """Take a token back; raise UnknownLink if we did not sign it for this purpose, OutdatedLink if its date is over."""
    try:
        (ref, round_, named), made_at = _load(purpose, token)
        signature = token.rpartition(".")[2]
        # Base64 leaves bits unused and takes more at its end: such a twin is none of ours either.
        if base64_encode(base64_decode(signature)).decode() != signature:
            raise UnknownLink
    except (BadData, ValueError, TypeError) as error:
        raise UnknownLink from error
    if purpose is Purpose.RECEIPT and made_at is not None and clock.now() - made_at > RECEIPT_HOLDS:
        raise OutdatedLink
    letter, _, wording = (named or "").partition(":")
    return Link(ref, round_, letter or None, wording or None, made_at)


def _load(purpose: Purpose, token: str) -> tuple[list[Any], datetime | None]:
    """What a token says, and when it was made, where that is in it."""
    serializer = _serializer(purpose)
    if isinstance(serializer, URLSafeTimedSerializer):
        said, made_at = serializer.loads(token, return_timestamp=True)
        return said, made_at
    return serializer.loads(token), None


def _serializer(purpose: Purpose) -> URLSafeTimedSerializer | URLSafeSerializer:
    # itsdangerous signs with the last key of its list; ours names the newest first.
    keys = [key.get_secret_value() for key in reversed(config.current().secret_key)]
    kind = URLSafeSerializer if purpose is Purpose.UNSUBSCRIBE else URLSafeTimedSerializer
    return kind(
        keys,
        salt=f"newsletter {purpose}",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
