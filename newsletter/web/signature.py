"""Mailchimp's signature of a webhook call: the header says `t=<unix time>,v1=<HMAC-SHA-256>`."""

from __future__ import annotations

import hashlib
import hmac

from newsletter.errors import NewsletterError

HEADER = "X-Mailchimp-Signature"


class WrongSignature(NewsletterError):
    """The call's signature is missing or was not made with MAILCHIMP_SIGNING_SECRET."""


def check(header: str, body: bytes, secret: str) -> None:
    """Raise WrongSignature unless one of the header's signatures is right for this body as it came.

    The time in it is signed but not judged: a delivery tried again later may carry its first time,
    and a replay says nothing new.
    """
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    given = [value for name, _, value in pairs if name == "v1"]
    if len(times) != 1:
        raise WrongSignature
    message = times[0].encode("utf-8", "replace") + b"." + body
    right = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest().encode()
    matches = [
        hmac.compare_digest(right, each.lower().encode("utf-8", "replace")) for each in given
    ]
    if not any(matches):
        raise WrongSignature
