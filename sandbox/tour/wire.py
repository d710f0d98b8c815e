"""All calls that were made for one person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from sandbox.language import _
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn, WebhookCall, id_of
from sandbox.smtp import ACCEPTED
from sandbox.tour.service import Service

SHOWN = 40
_PATHS_WITH_TOKEN = frozenset({"/confirm", "/unsubscribe", "/not-me"})
_LONG = re.compile(r"([0-9a-f]{6})[0-9a-f]{26}")


@dataclass(frozen=True)
class Line:
    """One call; `status` is None where no answer came."""

    at: datetime
    caller: str
    called: str
    method: str
    path: str
    status: int | None


def calls_about(email: str, service: Service, mailbox: Mailbox, mailchimp: StandIn) -> list[Line]:
    """The newest calls, newest first; without those of a browser in another tab."""
    if not email:
        return []
    lines = [
        *_asked_of_service(email, service),
        *_letters(email, mailbox),
        *_asked_of_mailchimp(email, mailchimp),
        *_told_by_mailchimp(email, mailchimp.webhook_calls),
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:SHOWN]


def shown(path: str) -> str:
    """A path to show: tokens are left out, and long names are shortened."""
    head, slash, _ = path.rpartition("/")
    if head in _PATHS_WITH_TOKEN:
        return f"{head}{slash}…"
    return _LONG.sub(r"\1…", path)


def _asked_of_service(email: str, service: Service) -> Iterator[Line]:
    for call in list(service.calls):
        if call.about.lower() == email.lower():
            path = shown(call.path)
            yield Line(call.at, call.caller, "service", call.method, path, call.status)


def _letters(email: str, mailbox: Mailbox) -> Iterator[Line]:
    for letter in mailbox.letters_to(email):
        yield Line(letter.at, "worker", "mailbox", "SMTP", _("an e-mail"), int(ACCEPTED[:3]))


def _asked_of_mailchimp(email: str, mailchimp: StandIn) -> Iterator[Line]:
    for call in list(mailchimp.calls):
        sent = str((call.body or {}).get("email_address", ""))
        if id_of(email) in call.path or sent.lower() == email.lower():
            yield Line(call.at, "worker", "Mailchimp", call.method, shown(call.path), call.status)


def _told_by_mailchimp(email: str, calls: Iterable[WebhookCall]) -> Iterator[Line]:
    for call in list(calls):
        fields = parse_qs(call.body.decode())
        if fields.get("data[email]", [""])[0].lower() == email.lower():
            path = f"/webhooks/mailchimp/… ({call.type})"
            yield Line(call.at, "Mailchimp", "service", "POST", path, call.status)
