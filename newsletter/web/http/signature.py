"""Mailchimp's signature of a webhook call: the header says `t=<unix time>,v1=<HMAC-SHA-256>`."""

from __future__ import annotations

import hashlib
import hmac
import logging
from datetime import timedelta

from newsletter.domain import clock
from newsletter.domain.errors import NewsletterError
from newsletter.storage import notices
from newsletter.storage.notices import Code

HEADER = "X-Mailchimp-Signature"
TELL_FOR = timedelta(hours=1)

log = logging.getLogger(__name__)


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


def note_refusal() -> None:
    """Let staff know for an hour: the call may have been a withdrawal, and only we know that it was not heard.

    A stranger makes none: whoever is refused here knew the secret in the URL.
    """
    if notices.post(Code.WEBHOOK_REFUSED, until=clock.now() + TELL_FOR):
        log.warning(
            "a call of Mailchimp's webhook was refused: its signature is not by MAILCHIMP_SIGNING_SECRET"
        )
