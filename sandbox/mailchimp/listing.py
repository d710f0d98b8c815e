"""GET /lists/{id}/members: filters, order, pages and fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from sandbox.mailchimp import clock
from sandbox.mailchimp.answers import Answer, ok
from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.contacts import Contact
from sandbox.mailchimp.fields import STATUSES, refuse

MAX_COUNT = 1000
#: The field that a time in the query is compared with, and whether it is the earliest.
_TIMES = (
    ("since_last_changed", "last_changed", True),
    ("before_last_changed", "last_changed", False),
    ("unsubscribed_since", "last_changed", True),
    ("since_timestamp_opt", "timestamp_opt", True),
    ("before_timestamp_opt", "timestamp_opt", False),
)
_SORTABLE = ("timestamp_opt", "timestamp_signup", "last_changed")


def members(audience: Audience, query: Mapping[str, str]) -> Answer:
    """One page of the contacts; archived ones only where the query asks for their status."""
    status, is_within = _status(query), _within(query)
    found = [
        contact
        for contact in audience.contacts.values()
        if (contact.status == status if status else contact.status != "archived")
        and (is_within is None or is_within(contact))
    ]
    _sort(found, query)
    offset, count = _number(query, "offset", 0), _number(query, "count", 10)
    if count > MAX_COUNT:
        raise refuse("count", f"The maximum count is {MAX_COUNT}.")
    page = [contact.as_json(audience.list_id) for contact in found[offset : offset + count]]
    answer = {"members": page, "list_id": audience.list_id, "total_items": len(found)}
    return ok(selected(answer, query))


def selected(answer: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """The answer with only `fields`, or without `exclude_fields`; not both."""
    wanted, unwanted = query.get("fields", ""), query.get("exclude_fields", "")
    if wanted and unwanted:
        raise refuse("fields", "fields and exclude_fields are mutually exclusive.")
    if wanted:
        return _only_in(answer, [name.split(".") for name in wanted.split(",")])
    return _without_in(answer, [name.split(".") for name in unwanted.split(",") if name])


def _status(query: Mapping[str, str]) -> str | None:
    status = query.get("status")
    if status not in (None, *STATUSES, "archived"):
        raise refuse("status", "Data presented is not one of the accepted values.")
    if "unsubscribed_since" in query and status != "unsubscribed":
        raise refuse("unsubscribed_since", "Only with status=unsubscribed.")
    return status


def _within(query: Mapping[str, str]) -> Callable[[Contact], bool] | None:
    """A test whether a contact lies within the times of the query; None: the query has none."""
    limits = [
        (attrgetter(attribute), _limit(query, name), is_since)
        for name, attribute, is_since in _TIMES
        if name in query
    ]

    def is_within(contact: Contact) -> bool:
        for read, limit, is_since in limits:
            # A contact without such a time is neither after nor before it.
            moment = clock.read(read(contact)) if read(contact) else limit
            if moment <= limit if is_since else moment >= limit:
                return False
        return True

    return is_within if limits else None


def _limit(query: Mapping[str, str], name: str) -> datetime:
    try:
        return clock.read_without_offset(query[name])
    except ValueError:
        raise refuse(name, "Please enter a valid date.") from None


def _sort(found: list[Contact], query: Mapping[str, str]) -> None:
    by, direction = query.get("sort_field"), query.get("sort_dir", "ASC").upper()
    if by not in (None, *_SORTABLE) or direction not in ("ASC", "DESC"):
        raise refuse("sort_field" if direction in ("ASC", "DESC") else "sort_dir", "Not sortable.")
    if by:
        found.sort(key=attrgetter(by), reverse=direction == "DESC")


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal():
        raise refuse(name, "Schema describes integer, string found instead")
    return int(text)


def _only(value: Any, paths: list[list[str]]) -> Any:
    if isinstance(value, list):
        return [_only(item, paths) for item in value]
    return value if [] in paths or not isinstance(value, dict) else _only_in(value, paths)


def _only_in(value: dict[str, Any], paths: list[list[str]]) -> dict[str, Any]:
    return {
        key: _only(inner, [path[1:] for path in paths if path[0] == key])
        for key, inner in value.items()
        if key in {path[0] for path in paths}
    }


def _without(value: Any, paths: list[list[str]]) -> Any:
    if isinstance(value, list):
        return [_without(item, paths) for item in value]
    return _without_in(value, paths) if isinstance(value, dict) else value


def _without_in(value: dict[str, Any], paths: list[list[str]]) -> dict[str, Any]:
    return {
        key: _without(inner, [path[1:] for path in paths if len(path) > 1 and path[0] == key])
        for key, inner in value.items()
        if [key] not in paths
    }
