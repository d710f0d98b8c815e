"""Questions to DNS: what texts a name has, whether it exists, whether a domain takes mail."""

from __future__ import annotations

from typing import Any

import dns.exception
import dns.name
import dns.resolver
from dns.rdatatype import RdataType
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

PATIENCE_SECONDS = 4.0  #: for one question, its repetitions included


class Unanswered(Exception):
    """DNS did not answer, or there is no such thing as the name asked for."""


class Lookup:
    """Asks one resolver, by default the system's; every method raises Unanswered."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        try:
            self._resolver = resolver or Resolver()
        except dns.exception.DNSException as error:
            raise Unanswered from error

    def texts(self, name: str) -> list[str]:
        """Every TXT record of a name, its parts joined (RFC 7208 § 3.3)."""
        return [
            b"".join(record.strings).decode("ascii", "replace")
            for record in self._ask(name, RdataType.TXT) or ()
        ]

    def exists(self, name: str) -> bool:
        """Whether there is the name, or anything below it (RFC 8020)."""
        return self._ask(name, RdataType.TXT) is not None

    def takes_mail(self, domain: str) -> bool:
        """Whether a domain says where its mail goes (RFC 5321 § 5.1), and not that it takes none (RFC 7505)."""
        if servers := self._ask(domain, RdataType.MX):
            return any(server.exchange != dns.name.root for server in servers)
        return bool(self._ask(domain, RdataType.A) or self._ask(domain, RdataType.AAAA))

    def _ask(self, name: str, kind: RdataType) -> list[Any] | None:
        """The records; None where there is no such name."""
        try:
            question = dns.name.from_text(name)
            return list(self._resolver.resolve(question, kind, lifetime=PATIENCE_SECONDS))
        except NXDOMAIN:
            return None
        except NoAnswer:
            return []
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise Unanswered from error
