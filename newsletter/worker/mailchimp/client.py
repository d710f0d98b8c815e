"""Mailchimp's audience: one method for each use. No other module knows its vocabulary and MD5 hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests
from mailchimp_marketing.api.lists_api import ListsApi
from mailchimp_marketing.api.ping_api import PingApi

from newsletter.config import Settings
from newsletter.domain.address import Address
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.storage.call_counts import CallCounter
from newsletter.worker.mailchimp.transport import Line, call

TIMEOUT = (5.0, 25.0)  #: seconds to connect, and for a whole call
#: Members in one call (POST /lists/{list_id}).
MOST_AT_ONCE = 500

#: Mailchimp accepted the key and the audience, and refuses this call.
REFUSALS = frozenset({Meaning.GIVE_UP_ONE, Meaning.REJECTED})

COMPLIANCE_STATE = "compliance_state"
LIST_UNKNOWN = "list_unknown"

_PLACES = {
    "subscribed": MailchimpStatus.SUBSCRIBED,
    "unsubscribed": MailchimpStatus.UNSUBSCRIBED,
    "cleaned": MailchimpStatus.UNSUBSCRIBED,
    "archived": MailchimpStatus.UNSUBSCRIBED,
    "transactional": MailchimpStatus.UNSUBSCRIBED,
    "pending": MailchimpStatus.AWAITING,
}
#: Statuses of people who unsubscribed or cannot be reached.
_LEFT = ("unsubscribed", "cleaned")

#: Meaning and reason by the HTTP status and words in the title or detail; the first match counts. `type` is not used:
#: it is often missing, and was changed three times. Each phrase has a blank, since a detail begins with an address,
#: which its owner chose and which has none.
_ERRORS = (
    (400, "compliance state", Meaning.GIVE_UP_ONE, COMPLIANCE_STATE),
    (400, "must opt in again", Meaning.GIVE_UP_ONE, COMPLIANCE_STATE),
    (400, "forgotten email not subscribed", Meaning.GIVE_UP_ONE, "forgotten"),
    (400, "was permanently deleted", Meaning.GIVE_UP_ONE, "forgotten"),
    (400, "was previously removed from this audience", Meaning.GIVE_UP_ONE, "forgotten"),
    (400, "looks fake or invalid", Meaning.GIVE_UP_ONE, "fake_or_invalid"),
    (400, "please provide a valid email address", Meaning.GIVE_UP_ONE, "invalid_address"),
    (400, "has signed up to a lot of lists", Meaning.RETRY_LATER, "too_many_signups"),
    (400, "too many recent signup requests", Meaning.RETRY_LATER, "too_many_signups"),
    (400, "merge fields were invalid", Meaning.HOLD_ALL, "merge_fields"),
    (401, "", Meaning.HOLD_ALL, "api_key"),
    (403, "", Meaning.HOLD_ALL, "forbidden"),
    (404, "", Meaning.HOLD_ALL, LIST_UNKNOWN),
    (408, "", Meaning.RETRY_LATER, "http 408"),
    (426, "", Meaning.HOLD_ALL, "rejected 426"),
    (429, "", Meaning.RETRY_LATER, "throttled"),
)


@dataclass(frozen=True)
class Joining:
    """A person who confirmed, as they are sent to Mailchimp."""

    address: Address
    language: str
    signed_up_at: datetime
    confirmed_at: datetime


@dataclass(frozen=True)
class Member:
    """A contact at Mailchimp; the flags say why it gets no mail.

    `left_at`: since when it is unsubscribed or cleaned; None in answers that do not say, other than a listing's.
    """

    place: MailchimpStatus
    is_complaint: bool
    is_bounce: bool
    is_archived: bool
    left_at: datetime | None = None


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
        self._line = Line(api_key, url, timeout=timeout, judge=_judged)
        self._lists = ListsApi(self._line)
        self._list_id = list_id

    @property
    def calls(self) -> CallCounter:
        """Its calls by the answers' statuses."""
        return self._line.calls

    def ping(self) -> None:
        """Raise DeliveryFailure unless Mailchimp answers and accepts the key."""
        try:
            document(call(PingApi(self._line).get))
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

    def subscribe(self, joining: Joining) -> MailchimpStatus:
        """Add a person, or subscribe them again."""
        return _place_in(self._put(joining, "subscribed"), MailchimpStatus.SUBSCRIBED)

    def ask_again(self, joining: Joining) -> MailchimpStatus:
        """Have Mailchimp ask a person in compliance state to confirm once more."""
        return _place_in(
            self._put(joining, "pending"), MailchimpStatus.AWAITING, MailchimpStatus.SUBSCRIBED
        )

    def subscribe_all(
        self, everybody: Sequence[Joining]
    ) -> list[MailchimpStatus | DeliveryFailure | None]:
        """Subscribe at most 500 people; the outcome of each, in their order. None: the answer does not say."""
        members = [_as_member(joining, "subscribed") for joining in everybody]
        body = {"members": members, "update_existing": True}
        batch = self._lists.batch_list_members
        answer = document(call(batch, self._list_id, body, skip_merge_validation=True))
        outcomes = _outcomes_in(answer)
        return [outcomes.get(joining.address.key) for joining in everybody]

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
            else _place_in(answer, MailchimpStatus.UNSUBSCRIBED)
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
        self._line.close()

    def _put(self, joining: Joining, status: str) -> Any:
        member = _as_member(joining, status) | {"status_if_new": status}
        where = self._list_id, _hash_of(joining.address)
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


def _as_member(joining: Joining, status: str) -> dict[str, str]:
    return {
        "email_address": joining.address.text,
        "status": status,
        "language": joining.language,
        "timestamp_signup": _utc(joining.signed_up_at),
        "timestamp_opt": _utc(joining.confirmed_at),
    }


def _outcomes_in(answer: dict[str, Any]) -> dict[str, MailchimpStatus | DeliveryFailure]:
    """Outcomes by address in the answer to a batch, as far as it has them.

    Its error codes are too coarse: the words of each error are matched, as for a single call.
    """
    outcomes: dict[str, MailchimpStatus | DeliveryFailure] = {}
    for member in (*_dicts_in(answer, "new_members"), *_dicts_in(answer, "updated_members")):
        if member.get("status") == "subscribed":
            outcomes[str(member.get("email_address")).lower()] = MailchimpStatus.SUBSCRIBED
    for error in _dicts_in(answer, "errors"):
        if (failure := _known_failure(400, str(error.get("error")).lower())) is not None:
            outcomes[str(error.get("email_address")).lower()] = failure
    return outcomes


def _dicts_in(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    items = answer.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _judged(answer: requests.Response) -> DeliveryFailure:
    """The failure behind an answer that is no 2xx."""
    status, words = answer.status_code, _words_of(answer)
    if status // 100 == 3:
        return DeliveryFailure(Meaning.HOLD_ALL, "redirect")
    if status == 403 and words is None:
        return DeliveryFailure(Meaning.RETRY_LATER, "throttled")
    if (failure := _known_failure(status, words or "")) is not None:
        return failure
    if words is None or status >= 500:
        # The gateway gives up calls that are still running behind it.
        may_run_on = status in (502, 504)
        return DeliveryFailure(Meaning.RETRY_LATER, f"http {status}", outcome_unknown=may_run_on)
    # Only failures that the table knows to be about the person are permanent: Mailchimp's words change each year.
    return DeliveryFailure(Meaning.REJECTED, f"rejected {status}")


def _known_failure(status: int, words: str) -> DeliveryFailure | None:
    """The failure in the table for a status and words in lower case."""
    for code, phrase, meaning, reason in _ERRORS:
        if status == code and phrase in words:
            return DeliveryFailure(meaning, reason)
    return None


def _words_of(answer: requests.Response) -> str | None:
    """Title and detail of a problem (RFC 9457), in lower case; None: the answer is not Mailchimp's."""
    try:
        problem = json.loads(answer.content)
    except (ValueError, RecursionError):  # no JSON, or nested too deeply
        return None
    is_problem = isinstance(problem, dict) and problem
    return f"{problem.get('title')} {problem.get('detail')}".lower() if is_problem else None


def document(answer: Any) -> dict[str, Any]:
    """The JSON object that the client returned; raise DeliveryFailure if it is none."""
    if not isinstance(answer, dict):
        # A 2xx that is not Mailchimp's: the outcome of the call is unknown.
        raise DeliveryFailure(Meaning.RETRY_LATER, "not_json", outcome_unknown=True)
    return answer


def member_in(answer: Any) -> Member:
    """The contact in Mailchimp's JSON; raise DeliveryFailure for an unknown status."""
    place, status = _place_in(answer, *MailchimpStatus), answer["status"]
    reason = str(answer.get("unsubscribe_reason")).lower()
    is_complaint = any(word in reason for word in ("abuse", "spam", "complain"))
    is_bounce = status == "cleaned" and not is_complaint
    left_at = _time_in(answer.get("last_changed")) if status in _LEFT else None
    is_archived = status == "archived"
    return Member(place, is_complaint, is_bounce, is_archived=is_archived, left_at=left_at)


def _time_in(text: object) -> datetime | None:
    try:
        told = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def _place_in(answer: Any, *wanted: MailchimpStatus) -> MailchimpStatus:
    place = _PLACES.get(str(document(answer).get("status")))
    if place is None or place not in wanted:
        raise DeliveryFailure(Meaning.RETRY_LATER, "status_differs", outcome_unknown=True)
    return place


def _hash_of(address: Address) -> str:
    return hashlib.md5(address.key.encode(), usedforsecurity=False).hexdigest()


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
