"""How the audience is set up at Mailchimp: its switches and fields, to be looked at, and its webhooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from newsletter.config import Settings
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.worker.mailchimp.client import Mailchimp, document
from newsletter.worker.mailchimp.transport import call

PATIENCE_SECONDS = (4.0, 6.0)  #: to connect, and to read
_HOST = ".api.mailchimp.com"
#: Where newsletter.web.webhooks listens; the secret comes behind it.
HOOK_PATH = "/webhooks/mailchimp/"
#: What it understands. What came through the API is our own doing. Mailchimp does not say what it makes
#: of what is left out, so that each is told.
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
class Audience:
    """What an audience asks of everybody; `required_fields` are those that a sign-up here never fills."""

    asks_again: bool  #: double opt-in of its own
    required_fields: tuple[str, ...]


@dataclass(frozen=True)
class Webhook:
    """A URL that Mailchimp calls: upon what, from which sources, signed or not (None: not told)."""

    id: str
    url: str = field(repr=False)  #: its end is a secret
    events: frozenset[str]
    sources: frozenset[str]
    is_signed: bool | None

    @property
    def tells_all(self) -> bool:
        """Whether it tells just what it should."""
        return (self.events, self.sources) == (_on(EVENTS), _on(SOURCES))


class MailchimpSetup(Mailchimp):
    """One audience's set-up. Every method raises DeliveryFailure and changes nothing."""

    def audience(self) -> Audience:
        """What it asks of everybody."""
        fields = ["id", "double_optin"]
        answer = document(call(self._lists.get_list, self._list_id, fields=fields))
        tags = ["merge_fields.tag", "merge_fields.required"]
        listed = call(self._lists.get_list_merge_fields, self._list_id, fields=tags, count=1000)
        required = [field for field in _listed(listed, "merge_fields") if field.get("required")]
        names = tuple(sorted(str(field.get("tag")) for field in required))
        return Audience(answer.get("double_optin") is True, names)

    def webhooks(self) -> list[Webhook]:
        """Every URL that is called."""
        answer = call(self._lists.get_list_webhooks, self._list_id)
        return [_webhook(hook) for hook in _listed(answer, "webhooks")]

    def clock(self) -> datetime | None:
        """What time it is there, in whole seconds; None: it does not say."""
        self.ping()
        try:
            return parsedate_to_datetime(self._line.answered_at or "")
        except ValueError:
            return None


class MailchimpHooks(MailchimpSetup):
    """One audience's webhooks, to be changed. Every method raises DeliveryFailure."""

    def register(self, url: str) -> str | None:
        """Have Mailchimp call a URL, once it has seen by a GET that this is answered by 200.

        Gives the secret by which it signs, which it tells this once; None where it signs nothing.
        """
        hook = {"url": url, "events": EVENTS, "sources": SOURCES}
        answer = document(call(self._lists.create_list_webhook, self._list_id, hook))
        signing_secret = answer.get("signing_secret")
        return str(signing_secret) if signing_secret else None

    def mend(self, webhook: Webhook) -> Webhook:
        """Have a webhook tell just what it should."""
        change = {"events": EVENTS, "sources": SOURCES}
        update = self._lists.update_list_webhook
        return _webhook(document(call(update, self._list_id, webhook.id, change)))


def setup_for(settings: Settings) -> MailchimpSetup | None:
    """The audience of MAILCHIMP_API_KEY, to be looked at; None without one."""
    return _made(MailchimpSetup, settings, PATIENCE_SECONDS)


def hooks_for(settings: Settings) -> MailchimpHooks | None:
    """The webhooks of the audience of MAILCHIMP_API_KEY; None without one."""
    # It calls the URL before it answers, and waits 10 s for that.
    return _made(MailchimpHooks, settings, (PATIENCE_SECONDS[0], 20.0))


def is_elsewhere(settings: Settings) -> bool:
    """Whether MAILCHIMP_API_URL names another data centre than the end of MAILCHIMP_API_KEY."""
    key, url = settings.mailchimp_api_key, settings.mailchimp_api_url
    if key is None or url is None:
        return False
    host = urlsplit(url).hostname or ""
    own = key.get_secret_value().rpartition("-")[2]
    # One host without a data centre serves all of them.
    return host.endswith(_HOST) and host.removesuffix(_HOST) != own


Kind = TypeVar("Kind", bound=MailchimpSetup)


def _made(kind: type[Kind], settings: Settings, timeout: tuple[float, float]) -> Kind | None:
    key, list_id = settings.mailchimp_api_key, settings.mailchimp_list_id
    if key is None or list_id is None:
        return None
    url = settings.mailchimp_api_url
    return kind(api_key=key.get_secret_value(), list_id=list_id, api_url=url, timeout=timeout)


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
