"""SPF: which servers may send for the domain of MAIL_FROM (RFC 7208).

The address after MAIL FROM is MAIL_FROM's own, so this record is what receivers look at.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from newsletter.cli.check.dns.lookup import Lookup
from newsletter.cli.check.finding import Finding

MOST_LOOKUPS = 10  #: § 4.6.4: with more, the record counts for nothing

_TERM = re.compile(
    r"(?P<sign>[+?~-]?)(?:(?P<name>all|a|mx|ptr|include|exists|ip4|ip6)(?:[:/](?P<value>\S*))?)"
    r"|(?P<modifier>[a-z][a-z0-9_.-]*)=(?P<target>\S*)",
    re.IGNORECASE,
)
_ASKING = frozenset({"a", "mx", "ptr", "include", "exists"})
_NEEDS_VALUE = frozenset({"include", "exists", "ip4", "ip6"})
_ONE = "publish one TXT record such as v=spf1 include:<your mail provider's name> -all"


class _Useless(Exception):
    """The record counts for nothing; the message says why."""


def findings(domain: str, lookup: Lookup) -> Iterator[Finding]:
    """What is wrong with the domain's record."""
    records = _records(domain, lookup)
    if not records:
        yield Finding("MAIL_FROM", "its domain has no SPF record", _ONE)
    elif len(records) > 1:
        yield Finding(
            "MAIL_FROM",
            "its domain has several SPF records, of which none counts",
            "join them into one",
        )
    else:
        yield from _judged(records[0], lookup)


def _judged(record: str, lookup: Lookup) -> Iterator[Finding]:
    try:
        terms = _terms(record)
        _count(terms, lookup, MOST_LOOKUPS)
    except _Useless as error:
        yield Finding("MAIL_FROM", f"its domain's SPF record counts for nothing: {error}", _ONE)
        return
    last = terms[-1] if terms else None
    if last is not None and last["modifier"]:
        return
    if last is None or last["name"].lower() != "all" or last["sign"] == "?":
        yield Finding(
            "MAIL_FROM",
            "its domain's SPF record says nothing of servers it does not name",
            "end it with ~all or -all",
            is_hint=True,
        )
    elif last["sign"] in ("", "+"):
        yield Finding(
            "MAIL_FROM",
            "its domain's SPF record lets anybody send (+all)",
            "end it with -all instead",
        )


def _records(domain: str, lookup: Lookup) -> list[str]:
    texts = lookup.texts(domain)
    return [text for text in texts if re.match(r"v=spf1(?: |$)", text, re.IGNORECASE)]


def _terms(record: str) -> list[re.Match[str]]:
    """What counts of a record: all up to `all` (§ 5.1), then redirect= where there is no `all` (§ 6.1)."""
    found = [_term(word) for word in record.split()[1:]]
    counting: list[re.Match[str]] = []
    for term in found:
        if term["name"]:
            counting.append(term)
            if term["name"].lower() == "all":
                return counting
    redirects = [term for term in found if (term["modifier"] or "").lower() == "redirect"]
    return counting + redirects[:1]


def _term(word: str) -> re.Match[str]:
    term = _TERM.fullmatch(word)
    if term is None:
        raise _Useless("it has a word that SPF does not know")
    name, value = (term["name"] or "").lower(), term["value"]
    if value == "" or (name in _NEEDS_VALUE and value is None):
        raise _Useless("a word in it lacks its value")
    if name in ("ip4", "ip6"):
        _check_network(value, 4 if name == "ip4" else 6)
    return term


def _check_network(value: str, version: int) -> None:
    try:
        is_right = ipaddress.ip_network(value, strict=False).version == version
    except ValueError:
        is_right = False
    if not is_right:
        raise _Useless("an IP address in it is none")


def _count(terms: list[re.Match[str]], lookup: Lookup, left: int) -> int:
    """How many lookups are left after these terms; raise _Useless."""
    for term in terms:
        name = (term["name"] or "").lower()
        if name not in _ASKING and not term["modifier"]:
            continue
        left -= 1
        if left < 0:
            raise _Useless(f"it makes receivers look up more than {MOST_LOOKUPS} names")
        target = term["target"] if term["modifier"] else term["value"]
        is_followed = name == "include" or term["modifier"]
        # What a macro stands for (§ 7) is known only as a letter arrives.
        if is_followed and "%" not in target:
            left = _follow(target, lookup, left)
    return left


def _follow(domain: str, lookup: Lookup, left: int) -> int:
    records = _records(domain, lookup)
    if len(records) != 1:
        raise _Useless("it includes a domain without an SPF record of its own")
    return _count(_terms(records[0]), lookup, left)
