"""The files that are understood: Mailchimp's audience export, and a list of one's own.

Only the columns named here are read. A file of Mailchimp's has the audience's own fields first, whatever they are
called, and then, from MEMBER_RATING on, those of Mailchimp (mailchimp.com/help/view-export-contacts). UNSUB_TIME and
CLEAN_TIME tell who left. Contacts who never subscribed are exported with the columns of subscribers: the file's name
alone tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress, UnreadableFile
from newsletter.domain.lifecycle import MailchimpStatus, Reason
from newsletter.subscriptions.importing.entry import Entry, Refused, Why, language, moment, short
from newsletter.subscriptions.importing.table import Row, Table

_ADDRESS = ("email address", "e-mail address", "email", "e-mail", "e-mail-adresse")
_MAILCHIMPS_FIRST = "MEMBER_RATING"
_OPTIN, _CONFIRM, _UNSUB, _CLEAN = "OPTIN_TIME", "CONFIRM_TIME", "UNSUB_TIME", "CLEAN_TIME"
_OWN = ("email", "confirmed_at", "requested_at", "language", "source", "note")
_SUBSCRIBED = "subscribed_"


@dataclass(frozen=True)
class Format:
    """How a file is read: what it is, in words; the columns that are taken, and those that are not."""

    title: str
    taken: tuple[str, ...]
    dropped: tuple[str, ...]
    entry: Callable[[dict[str, Any], datetime], Entry]


def of(table: Table, *, is_subscribed: bool) -> Format:
    """The format of a file; raise UnreadableFile. `is_subscribed`: staff say that it lists subscribers."""
    if _MAILCHIMPS_FIRST in table.heading:
        return _mailchimp(table, is_subscribed=is_subscribed)
    names = {name.lower(): name for name in table.heading}
    if "email" in names and "confirmed_at" in names:
        _require_each_once(table, tuple(names.values()))
        given = {name: names[name] for name in _OWN if name in names}
        return _format("A list", table, given, _own_entry)
    raise UnreadableFile(
        "Neither Mailchimp's export of an audience, with the column MEMBER_RATING, nor a list with the columns"
        " %(columns)s: the heading names none of these, or the separator is none of comma, semicolon and tab.",
        columns=", ".join(_OWN),
    )


def _mailchimp(table: Table, *, is_subscribed: bool) -> Format:
    begin = len(table.heading) - 1 - table.heading[::-1].index(_MAILCHIMPS_FIRST)
    theirs = table.heading[begin:]
    address = next((name for name in table.heading[:begin] if name.lower() in _ADDRESS), None)
    if address is None:
        raise UnreadableFile("No column before MEMBER_RATING is named “Email Address”.")
    given = {"email": address}
    reason, title = None, "Mailchimp's export of subscribed contacts"
    if _UNSUB in theirs:
        reason, title = Reason.UNSUBSCRIBED, "Mailchimp's export of unsubscribed contacts"
        given["left_at"] = _UNSUB
    elif _CLEAN in theirs:
        reason, title = Reason.BOUNCE, "Mailchimp's export of cleaned contacts"
        given["left_at"] = _CLEAN
    else:
        _require_subscribers(table.name, is_subscribed=is_subscribed)
        given |= {"confirmed_at": _CONFIRM, "requested_at": _OPTIN}
    for name in given.values():
        if name not in table.heading:
            raise UnreadableFile("The column %(name)s is missing.", name=name)
    return _format(title, table, given, lambda row, now: _mailchimp_entry(row, now, reason))


def _require_subscribers(name: str, *, is_subscribed: bool) -> None:
    if is_subscribed or name.lower().startswith(_SUBSCRIBED):
        return
    raise UnreadableFile(
        "Mailchimp exports contacts who never subscribed with the same columns as subscribers, in a file whose name"
        " begins with “nonsubscribed_”. The name of this one does not begin with “subscribed_”: if it lists"
        " subscribers, say so (at the command line, by --subscribed)."
    )


def _require_each_once(table: Table, names: tuple[str, ...]) -> None:
    if len(names) < len(table.heading):
        raise UnreadableFile("The heading names a column twice.")


def _format(
    title: str,
    table: Table,
    given: Mapping[str, str],
    entry: Callable[[Row, datetime], Entry],
) -> Format:
    def read(row: Row, now: datetime) -> Entry:
        return entry({name: row[column] for name, column in given.items()}, now)

    taken = tuple(given.values())
    dropped = tuple(dict.fromkeys(name for name in table.heading if name not in taken))
    return Format(title, taken, dropped, read)


def _mailchimp_entry(row: Row, now: datetime, reason: Reason | None) -> Entry:
    is_in = reason is None
    return Entry(
        address=_address(row),
        origin="mailchimp",
        reason=reason,
        confirmed_at=moment(row.get("confirmed_at", ""), now),
        requested_at=moment(row.get("requested_at", ""), now),
        left_at=moment(row.get("left_at", ""), now),
        at_mailchimp=MailchimpStatus.SUBSCRIBED if is_in else MailchimpStatus.UNSUBSCRIBED,
    )


def _own_entry(row: Row, now: datetime) -> Entry:
    return Entry(
        address=_address(row),
        origin="list",
        confirmed_at=moment(row["confirmed_at"], now),
        requested_at=moment(row.get("requested_at", ""), now),
        language=language(row.get("language", "")),
        source=short(row.get("source", "")),
        note=short(row.get("note", "")),
    )


def _address(row: Row) -> Address:
    try:
        return Address.parse_leniently(row["email"])
    except InvalidAddress:
        raise Refused(Why.NO_ADDRESS) from None
