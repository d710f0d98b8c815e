"""Mailchimp's audience: one method for each use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mailchimp_marketing.api.lists_api import ListsApi
from mailchimp_marketing.api.ping_api import PingApi

from newsletter.config import Settings
from newsletter.domain.address import Address
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.storage.call_counts import CallCounter
from newsletter.worker.mailchimp.failures import LIST_UNKNOWN, REFUSALS, failure_of
from newsletter.worker.mailchimp.members import (
    Member,
    Subscriber,
    as_member,
    document,
    member_in,
    outcomes_in,
    place_in,
)
from newsletter.worker.mailchimp.transport import Transport, call

TIMEOUT = (5.0, 25.0)  #: seconds to connect, and for a whole call
#: Members in one call (POST /lists/{list_id}).
MOST_AT_ONCE = 500


class Mailchimp:
    """One audience. Every method raises DeliveryFailure; each thread has a connection of its own."""

    def __init__(
        self,
        *,
        api_key: str,
        list_id: str,
        api_url: str | None = None,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        # A key ends with its data centre.
        url = api_url or f"https://{api_key.rpartition('-')[2]}.api.mailchimp.com/3.0"
        self._transport = Transport(api_key, url, timeout=timeout, failure_of=failure_of)
        self._lists = ListsApi(self._transport)
        self._list_id = list_id

    @property
    def calls(self) -> CallCounter:
        """Its calls by the answers' statuses."""
        return self._transport.calls

    def ping(self) -> None:
        """Raise DeliveryFailure unless Mailchimp answers and accepts the key."""
        try:
            document(call(PingApi(self._transport).get))
        except DeliveryFailure as failure:
            if failure.reason == LIST_UNKNOWN:
                # A ping names no audience, so the URL itself is wrong.
                raise DeliveryFailure(Meaning.HOLD_ALL, "api_url") from None
            raise

    def check_list(self) -> None:
        """Raise DeliveryFailure (HOLD_ALL, `list_unknown`) unless the audience exists."""
        audience = document(call(self._lists.get_list, self._list_id, fields=["id"]))
        if audience.get("id") != self._list_id:
            raise DeliveryFailure(Meaning.HOLD_ALL, LIST_UNKNOWN)

    def subscribe(self, subscriber: Subscriber) -> MailchimpStatus:
        """Add a person, or subscribe them again."""
        return place_in(self._put(subscriber, "subscribed"), MailchimpStatus.SUBSCRIBED)

    def ask_again(self, subscriber: Subscriber) -> MailchimpStatus:
        """Have Mailchimp ask a person in compliance state to confirm once more."""
        return place_in(
            self._put(subscriber, "pending"), MailchimpStatus.AWAITING, MailchimpStatus.SUBSCRIBED
        )

    def subscribe_all(
        self, everybody: Sequence[Subscriber]
    ) -> list[MailchimpStatus | DeliveryFailure | None]:
        """Subscribe at most 500 people; the outcome of each, in their order. None: the answer does not say."""
        members = [as_member(subscriber, "subscribed") for subscriber in everybody]
        body = {"members": members, "update_existing": True}
        batch = self._lists.batch_list_members
        answer = document(call(batch, self._list_id, body, skip_merge_validation=True))
        outcomes = outcomes_in(answer)
        return [outcomes.get(subscriber.address.key) for subscriber in everybody]

    def unsubscribe(self, address: Address) -> MailchimpStatus:
        """Unsubscribe a contact; ABSENT if there is none."""
        patch, change = self._lists.update_list_member, {"status": "unsubscribed"}
        try:
            answer = self._at_member(address, patch, change, skip_merge_validation=True)
        except DeliveryFailure as refusal:
            # A cleaned or archived contact cannot be changed, and need not be.
            member = self.look_up(address) if refusal.meaning in REFUSALS else None
            if member is None or member.place is not MailchimpStatus.UNSUBSCRIBED:
                raise
            return member.place
        return (
            MailchimpStatus.ABSENT
            if answer is None
            else place_in(answer, MailchimpStatus.UNSUBSCRIBED)
        )

    def look_up(self, address: Address) -> Member | None:
        """Read a contact; None: there is none in the audience."""
        fields = ["status", "unsubscribe_reason"]
        answer = self._at_member(address, self._lists.get_list_member, fields=fields)
        return None if answer is None else member_in(answer)

    def knows(self, address: Address) -> bool:
        """Tell whether there is a contact, whatever its status."""
        return self._at_member(address, self._lists.get_list_member, fields=["id"]) is not None

    def delete_permanently(self, address: Address) -> None:
        """Delete a contact permanently, and read back that it is gone."""
        self._at_member(address, self._lists.delete_list_member_permanent)
        if self.look_up(address) is not None:
            raise DeliveryFailure(Meaning.RETRY_LATER, "still_there")

    def close(self) -> None:
        self._transport.close()

    def _put(self, subscriber: Subscriber, status: str) -> Any:
        member = as_member(subscriber, status) | {"status_if_new": status}
        where = self._list_id, _hash_of(subscriber.address)
        put = self._lists.set_list_member
        return call(put, *where, member, skip_merge_validation=True)

    def _at_member(
        self, address: Address, function: Callable[..., Any], *body: object, **options: object
    ) -> Any:
        try:
            return call(function, self._list_id, _hash_of(address), *body, **options)
        except DeliveryFailure as failure:
            if failure.reason != LIST_UNKNOWN:
                raise
        # A 404 does not say whether the member or the audience is missing.
        self.check_list()
        return None


Kind = TypeVar("Kind", bound=Mailchimp)


def client_for(
    settings: Settings, kind: type[Kind], timeout: tuple[float, float] = TIMEOUT
) -> Kind | None:
    """A client for the audience of MAILCHIMP_API_KEY; None without a key."""
    key, list_id = settings.mailchimp_api_key, settings.mailchimp_list_id
    if key is None or list_id is None:
        return None
    url = settings.mailchimp_api_url
    return kind(api_key=key.get_secret_value(), list_id=list_id, api_url=url, timeout=timeout)


def _hash_of(address: Address) -> str:
    return hashlib.md5(address.key.encode(), usedforsecurity=False).hexdigest()
