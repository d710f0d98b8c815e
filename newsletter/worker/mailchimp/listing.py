"""Everybody in Mailchimp's audience, page by page: all of them, or those that changed since some time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from newsletter.config import Settings
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.worker.mailchimp.client import Mailchimp, Member, document, member_in
from newsletter.worker.mailchimp.transport import call

PAGE = 1000  #: the most that one call may ask for
SEAM = 50  #: how many of a page are asked for again with the next
MOST_TEARS = 20
_FIELDS = [
    "members.email_address",
    "members.status",
    "members.unsubscribe_reason",
    "members.last_changed",
    "total_items",
]


@dataclass(frozen=True)
class Listed:
    """One contact: its address as Mailchimp writes it (empty for one without), and how it stands, if that is known."""

    email: str
    member: Member | None


@dataclass(frozen=True)
class Page:
    """Some of the contacts, and how many there are in all."""

    contacts: list[Listed]
    total: int


class MailchimpMembers(Mailchimp):
    """One audience, whose contacts can be listed. Every method raises DeliveryFailure."""

    def page(self, offset: int, *, since: datetime | None, archived: bool) -> Page:
        """Up to 1,000 contacts, those first that changed longest ago; the archived are listed alone."""
        options: dict[str, Any] = {"status": "archived"} if archived else {}
        if since is not None:
            # Mailchimp ignores the offset from UTC, so that there may be none.
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


def members_for(settings: Settings) -> MailchimpMembers | None:
    """The audience of MAILCHIMP_API_KEY; None without one."""
    key, list_id = settings.mailchimp_api_key, settings.mailchimp_list_id
    if key is None or list_id is None:
        return None
    url = settings.mailchimp_api_url
    return MailchimpMembers(api_key=key.get_secret_value(), list_id=list_id, api_url=url)


def _listed(contact: Any) -> Listed:
    told = document(contact)
    try:
        return Listed(str(told.get("email_address") or ""), member_in(told))
    except DeliveryFailure:
        # A status that is not known yet says nothing about the others.
        return Listed("", None)


class Listing:
    """A walk through the audience, and then through its archive.

    Whoever changes meanwhile moves to the end, and others move up: a page begins with the end of the one before. If
    nobody of that is on it, more moved than that, and the walk goes back by one page.
    """

    def __init__(self, mailchimp: MailchimpMembers, since: datetime | None) -> None:
        self._mailchimp = mailchimp
        self._since = since
        self._parts = deque([False, True])  # the archived last
        self._offset = 0
        self._seam: set[str] = set()
        self._tears = 0
        self._walked = 0
        self.total = 0  #: how many are to be walked, as far as Mailchimp has told

    def next_page(self) -> list[Listed] | None:
        """Those who come next; None at the end. After a DeliveryFailure the same page may be asked for again."""
        if not self._parts:
            return None
        page = self._mailchimp.page(self._offset, since=self._since, archived=self._parts[0])
        self.total = self._walked + page.total
        if self._is_torn(page):
            self._tears += 1
            self._offset = max(0, self._offset - PAGE)
            self._seam = set()
            return []
        fresh = [contact for contact in page.contacts if contact.email not in self._seam]
        self._go_on(page)
        return fresh

    def _is_torn(self, page: Page) -> bool:
        if not self._seam or self._tears >= MOST_TEARS:
            return False
        return self._seam.isdisjoint(contact.email for contact in page.contacts)

    def _go_on(self, page: Page) -> None:
        end = self._offset + len(page.contacts)
        if page.contacts and end < page.total:
            # Never back to where this page began, however short it is.
            self._offset = max(self._offset + 1, end - SEAM)
            self._seam = {contact.email for contact in page.contacts[-SEAM:] if contact.email}
            return
        self._parts.popleft()
        self._walked += page.total
        self._offset, self._seam = 0, set()
