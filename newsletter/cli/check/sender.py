"""DNS of MAIL_FROM's domain, by which receivers judge our e-mails: MX, SPF (RFC 7208), DMARC (RFC 7489).

DKIM is not looked up: only a signed e-mail names its key, so one that arrived shows it (docs/deploying.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import dns.exception
import dns.name
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

from newsletter.cli.check.finding import Finding
from newsletter.config import Settings, is_local

PATIENCE_SECONDS = 4.0  #: for one question, its repetitions included

#: What a record permits to send: a name or a network.
_PERMITTED = re.compile(
    r" \+?(?:(?:a|mx|include|redirect|ip[46])(?:[:=]([^\s/]+))?)(/\d+)?(?=\s|$)"
)
_SPF = "publish one TXT record such as v=spf1 include:<your mail provider's name> -all"
_POLICY = re.compile(r"v=DMARC1\s*;(.*;)?\s*p\s*=\s*(?i:none|quarantine|reject)\s*(;.*)?")
_DMARC = "publish one TXT record at _dmarc below it, such as v=DMARC1; p=quarantine"


class _Unanswered(Exception):
    """DNS did not answer."""


def findings(settings: Settings, resolver: Resolver | None = None) -> Iterator[Finding]:
    """Mistakes in DNS; none on localhost, whose e-mails go nowhere. Without a resolver, the system's is asked."""
    if is_local(settings.public_url) or settings.mail_from is None:
        return
    sender = settings.sender.address.text.rpartition("@")[2].lower()
    contact = settings.contact_email.rpartition("@")[2].lower()
    try:
        lookup = _Lookup(resolver)
        if lookup.records(sender, "TXT") is None:
            yield Finding("MAIL_FROM", "there is no such domain", "correct it, or register it")
        else:
            yield from _mailbox("MAIL_FROM", sender, lookup)
            yield from _spf(sender, settings.smtp.host if settings.smtp else "", lookup)
            yield from _dmarc(sender, lookup)
        if contact != sender:
            yield from _mailbox("CONTACT_EMAIL", contact, lookup)
    except _Unanswered:
        wrong = "its domain cannot be looked up, since DNS does not answer"
        remedy = "repair this host's name resolution or the domain's name servers, and check again"
        yield Finding("MAIL_FROM", wrong, remedy)


def _mailbox(about: str, domain: str, lookup: _Lookup) -> Iterator[Finding]:
    # Without MX, the domain's own address takes mail (RFC 5321 § 5.1); "." as MX refuses it (RFC 7505).
    servers = lookup.records(domain, "MX") or ()
    is_refused = all(server.exchange == dns.name.root for server in servers)
    if is_refused and (servers or not lookup.addresses(domain)):
        wrong = "its domain takes no mail, so that replies and bounces are lost"
        yield Finding(about, wrong, "publish an MX record for it, or set an address elsewhere")


def _spf(domain: str, mail_server: str, lookup: _Lookup) -> Iterator[Finding]:
    records = [one for one in lookup.texts(domain) if re.match(r"v=spf1( |$)", one, re.I)]
    if len(records) != 1:
        wrong = "has several SPF records, so all are ignored" if records else "has no SPF record"
        yield Finding("MAIL_FROM", f"its domain {wrong}", _SPF)
    elif re.search(r" \+?all( |$)", record := records[0].lower()):
        yield Finding(
            "MAIL_FROM", f"its SPF record “{record}” lets anybody send", "end it with -all"
        )
    elif not _permits(record, domain, mail_server, lookup):
        wrong = f"its SPF record “{record}” names neither SMTP_URL's server nor its domain"
        remedy = "see that it names what the mail provider asks for"
        yield Finding("MAIL_FROM", wrong, remedy, is_hint=True)  # others may send for the server


def _permits(record: str, domain: str, server: str, lookup: _Lookup) -> bool:
    """Whether a record names a server or its domain; yes where its public address is unknown."""
    addresses = lookup.addresses(server)
    if not all(address.is_global for address in addresses):
        return True
    for permitted in _PERMITTED.finditer(record):
        name = permitted[1] or domain
        try:
            network = ip_network(name + (permitted[2] or ""), strict=False)
        except ValueError:
            if name.split(".")[-2:] == server.split(".")[-2:]:
                return True
        else:
            if any(address in network for address in addresses):
                return True
    return False


def _dmarc(domain: str, lookup: _Lookup) -> Iterator[Finding]:
    labels = domain.split(".")
    # Receivers ask the organizational domain, too (§ 6.6.3); going up finds it without a list of suffixes.
    for start in range(max(len(labels) - 1, 1)):
        texts = lookup.texts(".".join(["_dmarc", *labels[start:]]))
        if records := [text for text in texts if text.lower().startswith("v=dmarc1")]:
            break
    if not records:
        wrong = "no DMARC record, which large mailbox providers require of newsletters"
    elif len(records) > 1:
        wrong = "several DMARC records, so all are ignored"
    elif not _POLICY.fullmatch(records[0]):
        wrong = "a malformed DMARC record"
    else:
        return
    yield Finding("MAIL_FROM", f"its domain has {wrong}", _DMARC)


class _Lookup:
    """Asks one resolver; every method raises _Unanswered."""

    def __init__(self, resolver: Resolver | None) -> None:
        try:
            self._resolver = resolver or Resolver()
        except dns.exception.DNSException as error:
            raise _Unanswered from error

    def records(self, name: str, kind: str) -> list[Any] | None:
        """The records of one kind; None where there is no such name, nor one below it (RFC 8020)."""
        try:
            return list(self._resolver.resolve(f"{name}.", kind, lifetime=PATIENCE_SECONDS))
        except NXDOMAIN:
            return None
        except NoAnswer:
            return []
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise _Unanswered from error

    def texts(self, name: str) -> list[str]:
        """The TXT records, the parts of each joined (RFC 7208 § 3.3)."""
        found = self.records(name, "TXT") or ()
        return [b"".join(one.strings).decode("ascii", "replace") for one in found]

    def addresses(self, host: str) -> list[Any]:
        """The IP addresses of a name, or the one that it is."""
        try:
            return [ip_address(host)]
        except ValueError:
            kinds = (self.records(host, kind) or () for kind in ("A", "AAAA"))
            return [ip_address(record.address) for records in kinds for record in records]
