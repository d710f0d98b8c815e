"""Links: signed, bound to one purpose and one round, and never naming the address.

A link's date of making is in it, but its end is in the row: asking again extends it. The link to somebody's own data
ends by its date alone. Only the link to unsubscribe has no date, as it never ends and is always the same. Signatures
are HMAC-SHA-256 by itsdangerous, with a salt for each purpose.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from newsletter import config
from newsletter.errors import UnknownLink

#: How long a link to somebody's own data holds.
MY_DATA_HOLDS = timedelta(hours=1)


class Purpose(StrEnum):
    """What a link is for; the value is its place in the URL."""

    CONFIRM = "confirm"
    NOT_ME = "not-me"
    UNSUBSCRIBE = "unsubscribe"
    MY_DATA = "my-data"


@dataclass(frozen=True)
class Link:
    """What a link names: a person by reference, the round, and the letter that carries it."""

    ref: str
    round: int
    letter: str | None = None
    #: To the second; None where it has no date, or was not read yet.
    made_at: datetime | None = field(default=None, compare=False)


def url_for(purpose: Purpose, link: Link) -> str:
    """The whole URL, built from PUBLIC_URL alone."""
    token = _serializer(purpose).dumps([link.ref, link.round, link.letter])
    return f"{config.current().public_url}/{purpose}/{token}"


def read(purpose: Purpose, token: str) -> Link:
    """Take a token back; raise UnknownLink if we did not sign it for this purpose."""
    serializer, made_at = _serializer(purpose), None
    try:
        if isinstance(serializer, URLSafeTimedSerializer):
            (ref, round_, letter), made_at = serializer.loads(token, return_timestamp=True)
        else:
            ref, round_, letter = serializer.loads(token)
        signature = token.rpartition(".")[2]
        # Base64 leaves bits unused and takes more at its end: such a twin is none of ours either.
        if base64_encode(base64_decode(signature)).decode() != signature:
            raise UnknownLink
    except (BadData, ValueError, TypeError) as error:
        raise UnknownLink from error
    return Link(ref, round_, letter, made_at)


def _serializer(purpose: Purpose) -> URLSafeTimedSerializer | URLSafeSerializer:
    # itsdangerous signs with the last key of its list; ours names the newest first.
    keys = [key.get_secret_value() for key in reversed(config.current().secret_key)]
    kind = URLSafeSerializer if purpose is Purpose.UNSUBSCRIBE else URLSafeTimedSerializer
    return kind(
        keys,
        salt=f"newsletter {purpose}",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
