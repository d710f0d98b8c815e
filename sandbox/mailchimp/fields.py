"""The fields of a body: their types, and the words in which Mailchimp refuses others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from sandbox.mailchimp import clock, problems
from sandbox.mailchimp.answers import Refused

Check = Callable[[Any], str | None]
"""Returns what is wrong with a field's value, or None."""

STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")

_TYPES = (
    (bool, "boolean"),  # before integer: in Python a bool is one
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (dict, "object"),
    (list, "array"),
    (type(None), "NULL"),
)


def _type_of(value: Any) -> str:
    return next(name for kind, name in _TYPES if isinstance(value, kind))


def of_type(name: str) -> Check:
    def check(value: Any) -> str | None:
        found = _type_of(value)
        return None if found == name else f"Schema describes {name}, {found} found instead"

    return check


def one_of(*values: str) -> Check:
    def check(value: Any) -> str | None:
        if value in values:
            return None
        return f"Data presented is not one of the accepted values: {', '.join(values)}."

    return check


def _is_read(read: Callable[[str], object], complaint: str) -> Check:
    def check(value: Any) -> str | None:
        if wrong := of_type("string")(value):
            return wrong
        try:
            read(value)
        except ValueError:
            return complaint
        return None

    return check


_STRING, _BOOLEAN, _OBJECT, _ARRAY = map(of_type, ("string", "boolean", "object", "array"))
_IP = _is_read(ip_address, "Please enter a valid IP address.")
_TIME = _is_read(clock.read, "Please enter a valid date.")

_MEMBER: Mapping[str, Check] = {
    "email_address": _STRING,
    "email_type": one_of("html", "text"),
    "status": one_of(*STATUSES),
    "merge_fields": _OBJECT,
    "interests": _OBJECT,
    "language": _STRING,
    "vip": _BOOLEAN,
    "location": _OBJECT,
    "marketing_permissions": _ARRAY,
    "ip_signup": _IP,
    "timestamp_signup": _TIME,
    "ip_opt": _IP,
    "timestamp_opt": _TIME,
}
MEMBER_PATCH = _MEMBER
MEMBER_PUT = {**_MEMBER, "status_if_new": one_of(*STATUSES)}
MEMBER_POST = {**_MEMBER, "tags": _ARRAY}
BATCH = {"members": _ARRAY, "update_existing": _BOOLEAN, "sync_tags": _BOOLEAN}
WEBHOOK = {"url": _STRING, "events": _OBJECT, "sources": _OBJECT}
EVENTS = dict.fromkeys(
    ("subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign"), _BOOLEAN
)
SOURCES = dict.fromkeys(("user", "admin", "api"), _BOOLEAN)


def problems_in(
    body: Any, shape: Mapping[str, Check], required: Iterable[str] = (), prefix: str = ""
) -> list[dict[str, str]]:
    """All mistakes of a body, as the `errors` of a problem."""
    if wrong := _OBJECT(body):
        return [{"field": prefix.rstrip("."), "message": wrong}]
    found = []
    if missing := [name for name in required if name not in body]:
        message = f"Required fields were not provided: {', '.join(missing)}"
        found.append({"field": prefix.rstrip("."), "message": message})
    for name, value in body.items():
        complaint = shape[name](value) if name in shape else "This field is not part of the schema."
        if complaint:
            found.append({"field": prefix + name, "message": complaint})
    return found


def checked(body: Any, shape: Mapping[str, Check], required: Iterable[str] = ()) -> dict[str, Any]:
    """The body; raise Refused with all its mistakes."""
    if errors := problems_in(body, shape, required):
        raise Refused(problems.invalid(errors))
    assert isinstance(body, dict)
    return body


def refuse(field: str, message: str) -> Refused:
    """A refusal for a single field."""
    return Refused(problems.invalid([{"field": field, "message": message}]))
