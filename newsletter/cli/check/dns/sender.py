"""The domain of MAIL_FROM in DNS, by which mailbox providers judge our letters; and CONTACT_EMAIL's."""

from __future__ import annotations

from collections.abc import Iterator

from dns.resolver import Resolver

from newsletter.cli.check.dns import dkim, dmarc, spf
from newsletter.cli.check.dns.lookup import Lookup, Unanswered
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings, is_local


def findings(settings: Settings, resolver: Resolver | None = None) -> Iterator[Finding]:
    """What is wrong with both; nothing is asked on localhost, whose letters go nowhere."""
    if is_local(settings.public_url) or settings.mail_from is None:
        return
    sender = _domain(settings.sender.address.text)
    contact = _domain(settings.contact_email)
    try:
        lookup = Lookup(resolver)
        yield from _sender(sender, lookup)
        if contact != sender:
            yield from _mailbox("CONTACT_EMAIL", contact, lookup)
    except Unanswered:
        yield Finding(
            "MAIL_FROM",
            "its domain cannot be looked up, since DNS does not answer",
            "mend this host's name resolution or the domain's name servers, and check again",
        )


def _sender(domain: str, lookup: Lookup) -> Iterator[Finding]:
    if not lookup.exists(domain):
        yield Finding("MAIL_FROM", "there is no such domain", "correct it, or register it")
        return
    yield from _mailbox("MAIL_FROM", domain, lookup)
    yield from spf.findings(domain, lookup)
    yield from dmarc.findings(domain, lookup)
    yield from dkim.findings(domain, lookup, dmarc.policy(domain, lookup))


def _mailbox(about: str, domain: str, lookup: Lookup) -> Iterator[Finding]:
    if not lookup.takes_mail(domain):
        yield Finding(
            about,
            "its domain takes no mail, so that replies and bounces are lost",
            "publish an MX record for it, or set an address at another domain",
        )


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
