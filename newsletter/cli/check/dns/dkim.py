"""DKIM: whether a key is published with which letters from MAIL_FROM's domain can be signed (RFC 6376).

A key's name, the selector, stands only in signed letters: nobody can list them. So those that are common are
tried, and no more than a hint can come of it, unless there is nothing at all below `_domainkey`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.cli.check.dns.lookup import Lookup
from newsletter.cli.check.finding import Finding

#: Mailchimp's own, which sign campaigns and not our letters.
MAILCHIMP = ("k1", "k2", "k3")
_COMMON = (
    *("default", "dkim", "mail", "smtp", "email", "key1", "key2", "s1", "s2", "sel1", "sel2"),
    *("selector1", "selector2", "google", "fm1", "fm2", "mandrill", "mailjet", "mxvault", "pm"),
    *("protonmail", "zoho", "brevo1", "brevo2", "s2048", "2024", "2025", "2026"),
)
_SIGN = "have SMTP_URL's server sign as this domain, and publish its key as it says"


def findings(domain: str, lookup: Lookup, policy: str | None) -> Iterator[Finding]:
    """Whether letters can be signed; `policy` is what DMARC asks for those that are not."""
    if not lookup.exists(f"_domainkey.{domain}"):
        yield Finding("MAIL_FROM", f"its domain has no DKIM key{_and_so(policy)}", _SIGN)
    elif not _has_key(_COMMON, domain, lookup):
        is_mailchimps = _has_key(MAILCHIMP, domain, lookup)
        found = "no DKIM key but Mailchimp's" if is_mailchimps else "no DKIM key"
        yield Finding(
            "MAIL_FROM",
            f"{found} was found below its domain under the common selectors{_and_so(policy)},"
            " and others cannot be known from here",
            f"look for a passing DKIM signature in a letter that arrived; if there is none, {_SIGN}",
            is_hint=True,
        )


def _and_so(policy: str | None) -> str:
    if policy not in ("quarantine", "reject"):
        return ""
    return f", though its DMARC policy is {policy}, and forwarded letters pass by a signature alone"


def _has_key(selectors: tuple[str, ...], domain: str, lookup: Lookup) -> bool:
    names = (f"{selector}._domainkey.{domain}" for selector in selectors)
    return any(_is_key(text) for name in names for text in lookup.texts(name))


def _is_key(record: str) -> bool:
    """A key, and not one that was revoked by emptying it (§ 3.6.1)."""
    return re.search(r"(?:^|;)\s*p\s*=\s*[A-Za-z0-9+/]", record) is not None
