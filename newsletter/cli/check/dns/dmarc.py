"""DMARC: what receivers are to do with letters that only claim to come from MAIL_FROM's domain (RFC 7489)."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.cli.check.dns.lookup import Lookup
from newsletter.cli.check.finding import Finding

_POLICIES = ("none", "quarantine", "reject")
_ONE = "publish one TXT record at _dmarc below it, such as v=DMARC1; p=quarantine"


def findings(domain: str, lookup: Lookup) -> Iterator[Finding]:
    """What is wrong with the record that applies."""
    records, _ = _applying(domain, lookup)
    if not records:
        yield Finding(
            "MAIL_FROM",
            "its domain has no DMARC record, which large mailbox providers ask of newsletters",
            _ONE,
        )
    elif len(records) > 1:
        yield Finding(
            "MAIL_FROM", "its domain has several DMARC records, of which none counts", _ONE
        )
    elif _tags(records[0]).get("p", "").lower() not in _POLICIES:
        yield Finding(
            "MAIL_FROM", "its domain's DMARC record is malformed and does not count", _ONE
        )


def policy(domain: str, lookup: Lookup) -> str | None:
    """What receivers are asked to do: none, quarantine or reject; None: no record that counts."""
    records, is_own = _applying(domain, lookup)
    if len(records) != 1:
        return None
    tags = _tags(records[0])
    asked = (tags.get("p") if is_own else tags.get("sp", tags.get("p"))) or ""
    return asked.lower() if asked.lower() in _POLICIES else None


def _applying(domain: str, lookup: Lookup) -> tuple[list[str], bool]:
    """The records of the domain, or else of the nearest one above it, and whether they are its own.

    § 6.6.3 asks the organizational domain, which only a list of public suffixes tells; going up finds the same.
    """
    labels = domain.rstrip(".").split(".")
    for start in range(max(len(labels) - 1, 1)):
        texts = lookup.texts(".".join(["_dmarc", *labels[start:]]))
        if records := [text for text in texts if text.lower().startswith("v=dmarc1")]:
            return records, start == 0
    return [], True


def _tags(record: str) -> dict[str, str]:
    """The tags by name (§ 6.4); nothing where the record does not begin as it must."""
    parts = [part.partition("=") for part in record.split(";") if part.strip()]
    tags = {name.strip().lower(): value.strip() for name, _, value in parts}
    return tags if tags.get("v") == "DMARC1" else {}
