"""Looks in DNS whether the domain of an address that staff ask about can get e-mails at all: it may be mistyped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.domain.errors import Unreadable
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Inquiry
from newsletter.subscriptions import inquiries

PATIENCE_SECONDS = 5.0


class MailServers:
    """`look`: whether a domain has a mail server; None where DNS does not answer."""

    def __init__(self, look: Callable[[str], bool | None] | None = None) -> None:
        self._look = look or has_mail_server
        self._unanswered: set[str] = set()  #: not asked again by this process

    def step(self) -> bool:
        """Look up one domain; True if there may be more."""
        inquiry = self._next()
        if inquiry is None:
            return False
        try:
            address: Address | None = inquiries.address_of(inquiry)
        except Unreadable:
            address = None
        answer = self._look(address.text.rpartition("@")[2]) if address is not None else None
        if answer is None:
            self._unanswered.add(inquiry.id)
            return True
        with writing() as session:
            if (row := session.get(Inquiry, inquiry.id, with_for_update=True)) is not None:
                row.has_mail_server = answer
        return True

    def _next(self) -> Inquiry | None:
        query = select(Inquiry).where(Inquiry.has_mail_server.is_(None))
        with reading() as session:
            waiting = session.scalars(query.order_by(Inquiry.asked_at)).all()
        return next((each for each in waiting if each.id not in self._unanswered), None)


def has_mail_server(domain: str) -> bool | None:
    """Whether a domain names a mail server, or is a host itself (RFC 5321 § 5.1); None: DNS does not answer."""
    # Here, since few workers are ever asked, and it takes 4 MB.
    from dns import exception, name, resolver

    def records(kind: str) -> list[Any]:
        try:
            return list(asked.resolve(f"{domain}.", kind, lifetime=PATIENCE_SECONDS))
        except resolver.NoAnswer:
            return []

    try:
        asked = resolver.Resolver()
        if servers := records("MX"):
            return any(server.exchange != name.root for server in servers)  # RFC 7505
        return bool(records("A") or records("AAAA"))
    except resolver.NXDOMAIN:
        return False
    except (exception.DNSException, OSError, UnicodeError):
        return None
