"""How the audience is set up at Mailchimp, only to be looked at: its switches, its fields, its webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from newsletter.config import Settings
from newsletter.delivery.mailchimp import Mailchimp, document
from newsletter.delivery.mailchimp_line import call
from newsletter.errors import DeliveryFailure, Meaning

PATIENCE_SECONDS = (4.0, 6.0)  #: to connect, and to read
_HOST = ".api.mailchimp.com"


@dataclass(frozen=True)
class Audience:
    """What an audience asks of everybody; `required_fields` are those that a sign-up here never fills."""

    asks_again: bool  #: double opt-in of its own
    required_fields: tuple[str, ...]


@dataclass(frozen=True)
class Webhook:
    """A URL that Mailchimp calls: upon what, from which sources, signed or not (None: not told)."""

    url: str
    events: frozenset[str]
    sources: frozenset[str]
    is_signed: bool | None


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


def setup_for(settings: Settings) -> MailchimpSetup | None:
    """The audience of MAILCHIMP_API_KEY; None without one."""
    key, list_id = settings.mailchimp_api_key, settings.mailchimp_list_id
    if key is None or list_id is None:
        return None
    return MailchimpSetup(
        api_key=key.get_secret_value(),
        list_id=list_id,
        api_url=settings.mailchimp_api_url,
        timeout=PATIENCE_SECONDS,
    )


def is_elsewhere(settings: Settings) -> bool:
    """Whether MAILCHIMP_API_URL names another data centre than the end of MAILCHIMP_API_KEY."""
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
        raise DeliveryFailure(Meaning.PASSING, "not_json")
    return items


def _webhook(hook: dict[str, Any]) -> Webhook:
    events, sources = (
        frozenset(name for name, is_on in (hook.get(part) or {}).items() if is_on is True)
        for part in ("events", "sources")
    )
    return Webhook(str(hook.get("url")), events, sources, hook.get("signing_enabled"))
