"""The events that webhooks report, field by field as Mailchimp names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sandbox.mailchimp import clock
from sandbox.mailchimp.contacts import Contact, unique_id_of

CAMPAIGN_ID = "4fjk2ma9xd"


@dataclass(frozen=True)
class Event:
    """What one webhook call reports."""

    type: str
    data: dict[str, Any]
    fired_at: str

    def as_form(self) -> bytes:
        """The body as Mailchimp sends it: PHP's nested keys, their brackets percent-encoded."""
        pairs = [("type", self.type), ("fired_at", self.fired_at), *_nested("data", self.data)]
        return urlencode(pairs).encode()


def _nested(name: str, values: dict[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in values.items():
        inner = f"{name}[{key}]"
        pairs += _nested(inner, value) if isinstance(value, dict) else [(inner, str(value))]
    return pairs


def _event(type_: str, data: dict[str, Any]) -> Event:
    return Event(type_, data, clock.now().strftime("%Y-%m-%d %H:%M:%S"))


def _who(contact: Contact, list_id: str) -> dict[str, Any]:
    return {
        "id": contact.unique_email_id,
        "email": contact.email_address,
        "email_type": contact.email_type,
        "ip_opt": contact.ip_opt,
        "web_id": contact.web_id,
        "merges": {"EMAIL": contact.email_address, **contact.merges},
        "list_id": list_id,
    }


def subscribed(contact: Contact, list_id: str) -> Event:
    """A contact was subscribed."""
    return _event("subscribe", {**_who(contact, list_id), "ip_signup": contact.ip_signup})


def edited(contact: Contact, list_id: str) -> Event:
    """A contact was edited, also one that left."""
    return _event("profile", _who(contact, list_id))


def unsubscribed(
    contact: Contact,
    list_id: str,
    *,
    action: str = "unsub",
    reason: str = "manual",
    campaign_id: str | None = None,
) -> Event:
    """A contact left (action unsub) or was removed (delete), perhaps through a campaign."""
    campaign = {} if campaign_id is None else {"campaign_id": campaign_id}
    return _event(
        "unsubscribe", {"action": action, "reason": reason, **_who(contact, list_id), **campaign}
    )


def cleaned(contact: Contact, list_id: str, *, reason: str) -> Event:
    """E-mail to a contact bounced (reason hard) or was reported (abuse); without data[id]."""
    data = {
        "list_id": list_id,
        "campaign_id": CAMPAIGN_ID,
        "reason": reason,
        "email": contact.email_address,
    }
    return _event("cleaned", data)


def moved(contact: Contact, list_id: str, old: str) -> list[Event]:
    """A contact's address changed: always reported twice, as `upemail` and as `profile`."""
    data = {
        "list_id": list_id,
        "new_id": unique_id_of(contact.email_address),
        "new_email": contact.email_address,
        "old_email": old,
    }
    return [_event("upemail", data), edited(contact, list_id)]


def of_change(contact: Contact, list_id: str, before: str) -> list[Event]:
    """How a change through the API is reported: by its new status, else as an edit."""
    if contact.status == before:
        return [edited(contact, list_id)]
    match contact.status:
        case "subscribed":
            return [subscribed(contact, list_id)]
        case "unsubscribed":
            return [unsubscribed(contact, list_id)]
        case "cleaned":
            return [cleaned(contact, list_id, reason="hard")]
        case _:
            return []
