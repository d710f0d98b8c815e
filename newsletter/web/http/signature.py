"""Mailchimp's signature of a webhook call: the header is `t=<unix time>,v1=<HMAC-SHA-256>`."""

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
NOTICE_LASTS = timedelta(hours=1)

log = logging.getLogger(__name__)


class WrongSignature(NewsletterError):
    """The signature is missing, or was not made with MAILCHIMP_SIGNING_SECRET."""


def check(header: str, body: bytes, secret: str) -> None:
    """Raise WrongSignature unless one of the header's signatures is valid for this body.

    The age of the signed time does not matter: Mailchimp may repeat a call with its first time, and a replay is
    harmless.
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


def report_refusal() -> None:
    """Post a notice for an hour, since the call may have been a withdrawal.

    No stranger can cause it: the caller knew the secret in the URL.
    """
    if notices.post(Code.WEBHOOK_REFUSED, until=clock.now() + NOTICE_LASTS):
        log.warning(
            "a call of Mailchimp's webhook was refused: its signature is not by MAILCHIMP_SIGNING_SECRET"
        )
