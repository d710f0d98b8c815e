"""Lists the contacts of Mailchimp's audience page by page: all, or those that changed since a time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.mailchimp.members import Member, document, member_in
from newsletter.worker.mailchimp.transport import call

PAGE = 1000  #: the most that one call returns
OVERLAP = 50  #: contacts of a page that are read again with the next one
MOST_STEPS_BACK = 20  #: then the walk goes on without going back
_FIELDS = [
    "members.email_address",
    "members.status",
    "members.unsubscribe_reason",
    "members.last_changed",
    "total_items",
]


@dataclass(frozen=True)
class Listed:
    """One contact: its address as Mailchimp writes it (empty if it has none), and None for an unknown status."""

    email: str
    member: Member | None


@dataclass(frozen=True)
class Page:
    """Contacts of one call, and the number of all."""

    contacts: list[Listed]
    total: int


class MailchimpMembers(Mailchimp):
    """One audience, whose contacts can be listed. Every method raises DeliveryFailure."""

    def page(self, offset: int, *, since: datetime | None, archived: bool) -> Page:
        """Up to 1,000 contacts, those that changed longest ago first; archived ones are listed separately."""
        options: dict[str, Any] = {"status": "archived"} if archived else {}
        if since is not None:
            # Mailchimp ignores an offset from UTC.
            options["since_last_changed"] = since.astimezone(UTC).isoformat(timespec="seconds")
        answer = document(
            call(
                self._lists.get_list_members_info,
                self._list_id,
                count=PAGE,
                offset=offset,
                fields=_FIELDS,
                sort_field="last_changed",
                sort_dir="ASC",
                **options,
            )
        )
        contacts, total = answer.get("members", []), answer.get("total_items")
        if not isinstance(contacts, list) or not isinstance(total, int):
            raise DeliveryFailure(Meaning.RETRY_LATER, "not_json")
        return Page([_listed(contact) for contact in contacts], total)


def _listed(contact: Any) -> Listed:
    told = document(contact)
    try:
        return Listed(str(told.get("email_address") or ""), member_in(told))
    except DeliveryFailure:
        # An unknown status must not stop the others.
        return Listed("", None)


class Listing:
    """A walk through the audience, and then through its archive.

    A contact that changes meanwhile moves to the end, and others move up. So pages overlap: each begins with the
    last contacts of the page before. If none of them is on it, more have moved, and the walk goes back by one page.
    """

    def __init__(self, mailchimp: MailchimpMembers, since: datetime | None) -> None:
        self._mailchimp = mailchimp
        self._since = since
        self._parts = deque([False, True])  # the archived last
        self._offset = 0
        self._overlap: set[str] = set()
        self._steps_back = 0
        self._walked = 0
        self.total = 0  #: contacts of the whole walk, as far as Mailchimp has said

    def next_page(self) -> list[Listed] | None:
        """The next contacts; None at the end. After a DeliveryFailure, call it again for the same page."""
        if not self._parts:
            return None
        page = self._mailchimp.page(self._offset, since=self._since, archived=self._parts[0])
        self.total = self._walked + page.total
        if self._has_gap(page):
            self._steps_back += 1
            self._offset = max(0, self._offset - PAGE)
            self._overlap = set()
            return []
        fresh = [contact for contact in page.contacts if contact.email not in self._overlap]
        self._go_on(page)
        return fresh

    def _has_gap(self, page: Page) -> bool:
        if not self._overlap or self._steps_back >= MOST_STEPS_BACK:
            return False
        return self._overlap.isdisjoint(contact.email for contact in page.contacts)

    def _go_on(self, page: Page) -> None:
        end = self._offset + len(page.contacts)
        if page.contacts and end < page.total:
            # Always forward, however short this page is.
            self._offset = max(self._offset + 1, end - OVERLAP)
            self._overlap = {contact.email for contact in page.contacts[-OVERLAP:] if contact.email}
            return
        self._parts.popleft()
        self._walked += page.total
        self._offset, self._overlap = 0, set()
