"""The audience's settings and fields at Mailchimp, to be checked, and its webhooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from newsletter.config import Settings
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.worker.mailchimp.client import Mailchimp, client_for
from newsletter.worker.mailchimp.members import document
from newsletter.worker.mailchimp.transport import call

PATIENCE_SECONDS = (4.0, 6.0)  #: to connect, and to read
_HOST = ".api.mailchimp.com"
#: The path of web/views/webhooks.py, which the secret follows.
HOOK_PATH = "/webhooks/mailchimp/"
#: The events that it handles. Changes through the API are our own. All are listed, since Mailchimp does not document
#: the defaults.
EVENTS = {
    "subscribe": True,
    "unsubscribe": True,
    "profile": True,
    "cleaned": True,
    "upemail": True,
    "campaign": False,
}
SOURCES = {"user": True, "admin": True, "api": False}


@dataclass(frozen=True)
class AudienceSettings:
    """What an audience requires of its contacts."""

    asks_again: bool  #: Mailchimp's own double opt-in
    required_fields: tuple[str, ...]  #: merge fields, which a sign-up here never fills


@dataclass(frozen=True)
class Webhook:
    """A URL that Mailchimp calls; `is_signed`: None if Mailchimp does not say."""

    id: str
    url: str = field(repr=False)  #: its end is a secret
    events: frozenset[str]
    sources: frozenset[str]
    is_signed: bool | None

    @property
    def is_complete(self) -> bool:
        """Tell whether it has exactly our events and sources."""
        return (self.events, self.sources) == (_on(EVENTS), _on(SOURCES))


class MailchimpSetup(Mailchimp):
    """Every method raises DeliveryFailure and changes nothing."""

    def audience(self) -> AudienceSettings:
        fields = ["id", "double_optin"]
        answer = document(call(self._lists.get_list, self._list_id, fields=fields))
        tags = ["merge_fields.tag", "merge_fields.required"]
        listed = call(self._lists.get_list_merge_fields, self._list_id, fields=tags, count=1000)
        required = [field for field in _listed(listed, "merge_fields") if field.get("required")]
        names = tuple(sorted(str(field.get("tag")) for field in required))
        return AudienceSettings(answer.get("double_optin") is True, names)

    def webhooks(self) -> list[Webhook]:
        """All webhooks of the audience."""
        answer = call(self._lists.get_list_webhooks, self._list_id)
        return [_webhook(hook) for hook in _listed(answer, "webhooks")]

    def clock(self) -> datetime | None:
        """Mailchimp's time, in whole seconds; None: it does not say."""
        self.ping()
        try:
            return parsedate_to_datetime(self._transport.answered_at or "")
        except ValueError:
            return None


class MailchimpHooks(MailchimpSetup):
    """Every method raises DeliveryFailure."""

    def register(self, url: str) -> str | None:
        """Register a webhook; Mailchimp first checks that a GET of the URL is answered with 200.

        The signing secret, which Mailchimp returns only here; None: calls are not signed.
        """
        hook = {"url": url, "events": EVENTS, "sources": SOURCES}
        answer = document(call(self._lists.create_list_webhook, self._list_id, hook))
        signing_secret = answer.get("signing_secret")
        return str(signing_secret) if signing_secret else None

    def update(self, webhook: Webhook) -> Webhook:
        """Set our events and sources on a webhook."""
        change = {"events": EVENTS, "sources": SOURCES}
        update = self._lists.update_list_webhook
        return _webhook(document(call(update, self._list_id, webhook.id, change)))


def setup_for(settings: Settings) -> MailchimpSetup | None:
    """A client that reads the audience's settings; None without a key."""
    return client_for(settings, MailchimpSetup, PATIENCE_SECONDS)


def hooks_for(settings: Settings) -> MailchimpHooks | None:
    """A client that changes webhooks; None without a key."""
    # Mailchimp calls the URL before it answers, and waits 10 s for that.
    return client_for(settings, MailchimpHooks, (PATIENCE_SECONDS[0], 20.0))


def is_elsewhere(settings: Settings) -> bool:
    """Tell whether MAILCHIMP_API_URL names another data centre than the end of MAILCHIMP_API_KEY."""
    key, url = settings.mailchimp_api_key, settings.mailchimp_api_url
    if key is None or url is None:
        return False
    host = urlsplit(url).hostname or ""
    own = key.get_secret_value().rpartition("-")[2]
    # One host without a data centre serves all of them.
    return host.endswith(_HOST) and host.removesuffix(_HOST) != own


def _listed(answer: Any, name: str) -> list[dict[str, Any]]:
    items = document(answer).get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise DeliveryFailure(Meaning.RETRY_LATER, "not_json")
    return items


def _webhook(hook: dict[str, Any]) -> Webhook:
    events, sources = (_on(hook.get(part) or {}) for part in ("events", "sources"))
    id_, url = str(hook.get("id")), str(hook.get("url"))
    return Webhook(id_, url, events, sources, hook.get("signing_enabled"))


def _on(switches: dict[str, Any]) -> frozenset[str]:
    return frozenset(name for name, is_on in switches.items() if is_on is True)
