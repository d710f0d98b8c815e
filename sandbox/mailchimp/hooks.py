"""Webhooks: which are called, the signed call over HTTP, and its repetitions."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from sandbox.mailchimp.events import Event
from sandbox.mailchimp.fields import EVENTS, SOURCES

TIMEOUT_SECONDS = 10.0
TRIES = 3
_DISABLED = 410


@dataclass
class Webhook:
    """One registered URL with its events and sources, and the signing secret."""

    url: str
    events: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(EVENTS, True))
    sources: dict[str, bool] = field(
        default_factory=lambda: {"user": True, "admin": True, "api": False}
    )
    signing_secret: str | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(5))
    enabled: bool = True

    def wants(self, event: Event, source: str) -> bool:
        """Whether this webhook is called for an event."""
        return (
            self.enabled and self.events.get(event.type, False) and self.sources.get(source, False)
        )

    def as_json(self, list_id: str) -> dict[str, Any]:
        """The webhook as the API shows it."""
        return {
            "id": self.id,
            "url": self.url,
            "events": dict.fromkeys(EVENTS, False) | self.events,
            "sources": dict.fromkeys(SOURCES, False) | self.sources,
            "signing_enabled": self.signing_secret is not None,
            "list_id": list_id,
        }


@dataclass(frozen=True)
class WebhookCall:
    """One call of a webhook; `status` is None where no answer came."""

    type: str
    url: str
    body: bytes
    headers: dict[str, str]
    status: int | None
    at: datetime


def signature(secret: str, body: bytes, at: int) -> str:
    """The value of X-Mailchimp-Signature: HMAC-SHA256 over time (Unix seconds) and body."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _status(
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes | None = None,
    *,
    certificates: Path | None = None,
) -> int | None:
    with requests.Session() as session:
        session.trust_env = False
        if certificates is not None:
            session.verify = str(certificates)
        try:
            answer = session.request(
                method,
                url,
                headers=headers,
                data=body,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException:
            return None
        return answer.status_code


class Hooks:
    """The webhooks, and every call made."""

    def __init__(self) -> None:
        self.registered: list[Webhook] = []
        self.own = Webhook("", enabled=False)  #: the one that `webhook_url` sets
        self.calls: list[WebhookCall] = []
        self.retry_after_seconds = 0.0
        self.stopping = threading.Event()
        self.certificates: Path | None = (
            None  #: a PEM file of trusted certificates; None: the system's
        )

    def is_working(self, url: str) -> int | None:
        """The status of Mailchimp's check of a new URL (200 is required); None: no answer."""
        headers = {"User-Agent": "MailChimp.com WebHook Validator"}
        return _status("GET", url, headers, certificates=self.certificates)

    def fire(self, source: str, event: Event) -> list[WebhookCall]:
        """Call every webhook that wants the event; return the calls made."""
        return [call for hook in self._asked(source, event) for call in self._call(hook, event)]

    def _asked(self, source: str, event: Event) -> list[Webhook]:
        others = [hook for hook in self.registered if hook.url != self.own.url]
        return [hook for hook in (self.own, *others) if hook.wants(event, source)]

    def _call(self, hook: Webhook, event: Event) -> Iterator[WebhookCall]:
        body, headers = event.as_form(), {"User-Agent": "MailChimp.com"}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        if hook.signing_secret:
            headers["X-Mailchimp-Signature"] = signature(
                hook.signing_secret, body, int(time.time())
            )
        for number in range(TRIES):
            if number and self.stopping.wait(self.retry_after_seconds):
                return
            status = _status("POST", hook.url, headers, body, certificates=self.certificates)
            call = WebhookCall(event.type, hook.url, body, headers, status, datetime.now(UTC))
            self.calls.append(call)
            yield call
            if status == _DISABLED:
                hook.enabled = False
            if status == _DISABLED or (status is not None and status < 300):
                return
