"""Contacts in Mailchimp's JSON: as they are sent, and as they are answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from newsletter.domain.address import Address
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.worker.mailchimp.failures import known_failure

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


@dataclass(frozen=True)
class Subscriber:
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


def as_member(subscriber: Subscriber, status: str) -> dict[str, str]:
    return {
        "email_address": subscriber.address.text,
        "status": status,
        "language": subscriber.language,
        "timestamp_signup": _utc(subscriber.signed_up_at),
        "timestamp_opt": _utc(subscriber.confirmed_at),
    }


def outcomes_in(answer: dict[str, Any]) -> dict[str, MailchimpStatus | DeliveryFailure]:
    """Outcomes by address in the answer to a batch, as far as it has them.

    Its error codes are too coarse: the words of each error are matched, as for a single call.
    """
    outcomes: dict[str, MailchimpStatus | DeliveryFailure] = {}
    for member in (*_dicts_in(answer, "new_members"), *_dicts_in(answer, "updated_members")):
        if member.get("status") == "subscribed":
            outcomes[str(member.get("email_address")).lower()] = MailchimpStatus.SUBSCRIBED
    for error in _dicts_in(answer, "errors"):
        if (failure := known_failure(400, str(error.get("error")).lower())) is not None:
            outcomes[str(error.get("email_address")).lower()] = failure
    return outcomes


def _dicts_in(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    items = answer.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def document(answer: Any) -> dict[str, Any]:
    """The JSON object that the client returned; raise DeliveryFailure if it is none."""
    if not isinstance(answer, dict):
        # A 2xx that is not Mailchimp's: the outcome of the call is unknown.
        raise DeliveryFailure(Meaning.RETRY_LATER, "not_json", outcome_unknown=True)
    return answer


def member_in(answer: Any) -> Member:
    """The contact in Mailchimp's JSON; raise DeliveryFailure for an unknown status."""
    place, status = place_in(answer, *MailchimpStatus), answer["status"]
    reason = str(answer.get("unsubscribe_reason")).lower()
    is_complaint = any(word in reason for word in ("abuse", "spam", "complain"))
    is_bounce = status == "cleaned" and not is_complaint
    left_at = _time_in(answer.get("last_changed")) if status in _LEFT else None
    is_archived = status == "archived"
    return Member(place, is_complaint, is_bounce, is_archived=is_archived, left_at=left_at)


def place_in(answer: Any, *wanted: MailchimpStatus) -> MailchimpStatus:
    place = _PLACES.get(str(document(answer).get("status")))
    if place is None or place not in wanted:
        raise DeliveryFailure(Meaning.RETRY_LATER, "status_differs", outcome_unknown=True)
    return place


def _time_in(text: object) -> datetime | None:
    try:
        told = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
