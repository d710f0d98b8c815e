"""Mailchimp's signature of a webhook call: the header says `t=<unix time>,v1=<HMAC-SHA-256>`."""

from __future__ import annotations

import hashlib
import hmac
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.domain import clock
from newsletter.domain.errors import NewsletterError

HEADER = "X-Mailchimp-Signature"
LOG_EVERY = timedelta(minutes=1)
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


@dataclass
class Refusals:
    """The calls that this process refused: each may be a withdrawal, and only we know that none was heard.

    A stranger makes none: whoever is refused here knew the secret in the URL.
    """

    last_at: datetime | None = None
    logged_at: datetime | None = None

    def note(self) -> None:
        """Remember one, and warn, at most once a minute."""
        now = self.last_at = clock.now()
        if self.logged_at is None or now - self.logged_at >= LOG_EVERY:
            self.logged_at = now
            log.warning(
                "a call of Mailchimp's webhook was refused: its signature is not by MAILCHIMP_SIGNING_SECRET"
            )

    def complaint(self) -> str | None:
        """What staff are told for an hour after the last one."""
        if self.last_at is None or clock.now() - self.last_at >= TELL_FOR:
            return None
        return "Mailchimp's webhook calls are refused: MAILCHIMP_SIGNING_SECRET does not fit them"
