"""What happens outside the API: each act changes the audience and calls the webhooks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sandbox.mailchimp import clock, persons, store
from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.contacts import Contact
from sandbox.mailchimp.events import Event
from sandbox.mailchimp.hooks import Hooks, WebhookCall

T = TypeVar("T")


class Outside:
    """The acts of people, mail servers and Mailchimp's staff.

    Each returns the webhook calls it led to, after they were answered, and raises LookupError for
    somebody who is not there.
    """

    audience: Audience
    hooks: Hooks
    _changed: threading.Condition
    _file: Path | None

    def add(self, email: str, status: str = "subscribed", **fields: Any) -> Contact:
        """Add a contact without a webhook, as the start of a test."""
        contact = Contact(email, status, last_changed=clock.written(clock.now()))
        contact.take(fields)
        self._change(lambda it: it.contacts.update({contact.key: contact}))
        return contact

    def unsubscribes(self, email: str, campaign_id: str | None = None) -> list[WebhookCall]:
        """A person follows the unsubscribe link in a newsletter (of this campaign)."""
        return self._act("user", lambda it: persons.unsubscribes(it, email, campaign_id))

    def complains(self, email: str, *, as_cleaned: bool = False) -> list[WebhookCall]:
        """A person reports spam: reported as `unsubscribe` or as `cleaned` with abuse."""
        return self._act("user", lambda it: persons.complains(it, email, as_cleaned=as_cleaned))

    def hard_bounces(self, email: str) -> list[WebhookCall]:
        """A newsletter bounces permanently."""
        return self._act("admin", lambda it: persons.hard_bounces(it, email))

    def confirms_at_mailchimp(self, email: str) -> list[WebhookCall]:
        """A pending person follows the link in Mailchimp's own confirmation e-mail."""
        return self._act("user", lambda it: persons.confirms(it, email))

    def changes_address(self, old: str, new: str) -> list[WebhookCall]:
        """A person enters a new address in the preferences."""
        return self._act("user", lambda it: persons.changes_address(it, old, new))

    def signs_up_at_mailchimp(self, email: str) -> list[WebhookCall]:
        """A person uses Mailchimp's own form, which works after a deletion, too."""
        return self._act("user", lambda it: persons.signs_up(it, email))

    def is_archived(self, email: str) -> list[WebhookCall]:
        """Staff archive a contact in the web interface."""
        return self._act("admin", lambda it: persons.is_archived(it, email))

    def is_deleted(self, email: str) -> list[WebhookCall]:
        """Staff delete a contact for ever in the web interface."""
        return self._act("admin", lambda it: persons.is_deleted(it, email))

    def is_unsubscribed_by_staff(self, email: str) -> list[WebhookCall]:
        """Staff unsubscribe a contact in the web interface; the API may subscribe it again."""
        return self._act("admin", lambda it: persons.is_unsubscribed_by_staff(it, email))

    def is_edited(self, email: str, **merge_fields: str) -> list[WebhookCall]:
        """Staff edit a contact in the web interface, whatever the status."""
        return self._act("admin", lambda it: persons.is_edited(it, email, merge_fields))

    def _act(self, source: str, act: Callable[[Audience], None]) -> list[WebhookCall]:
        _, events = self._change(act)
        return self._call_webhooks(source, events)

    def _call_webhooks(self, source: str, events: list[Event]) -> list[WebhookCall]:
        calls = [call for event in events for call in self.hooks.fire(source, event)]
        with self._changed:
            self._changed.notify_all()
        return calls

    def _change(self, act: Callable[[Audience], T]) -> tuple[T, list[Event]]:
        with self._changed:
            try:
                result = act(self.audience)
                if self._file is not None:
                    store.save(self._file, self.audience)
            finally:
                events, self.audience.events = self.audience.events, []
                self._changed.notify_all()
        return result, events
