"""A name server on loopback that answers from a table, over real UDP (RFC 1035)."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.resolver import Resolver

from tests.patience import PATIENCE

_TTL_SECONDS = 60
_MOST_IN_A_TEXT = 255  #: octets of one part of a TXT record


class DnsStandIn:
    """Serves while entered: `records` maps (name, type) to the records' texts; what is not there is not."""

    def __init__(self, records: dict[tuple[str, str], list[str]] | None = None) -> None:
        self.records = records or {}
        self.is_silent = False  #: takes questions and says nothing
        self.is_failing = False  #: SERVFAIL to everything
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    @property
    def resolver(self) -> Resolver:
        """Who asks nobody but this server."""
        resolver = Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self._socket.getsockname()[1]
        resolver.timeout = 0.5
        return resolver

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            wire, client = self._socket.recvfrom(65536)
            if not wire:
                return
            with suppress(dns.exception.DNSException):
                question = dns.message.from_wire(wire)
                self.asked.append(question.question[0].name.to_text(omit_final_dot=True))
                if not self.is_silent:
                    self._socket.sendto(self._answer(question).to_wire(), client)

    def _answer(self, question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question, recursion_available=True)
        (wanted,) = question.question
        name = wanted.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(wanted.rdtype)
        if self.is_failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not any(known == name or known.endswith(f".{name}") for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif texts := self.records.get((name, kind)):
            answer.answer.append(_rrset(wanted.name, kind, texts))
        return answer


def _rrset(name: dns.name.Name, kind: str, texts: list[str]) -> dns.rrset.RRset:
    presented = [_quoted(text) if kind == "TXT" else text for text in texts]
    return dns.rrset.from_text(name, _TTL_SECONDS, "IN", kind, *presented)


def _quoted(text: str) -> str:
    """A text as a zone file has it: in parts that are short enough."""
    starts = range(0, len(text), _MOST_IN_A_TEXT)
    return " ".join(f'"{text[start : start + _MOST_IN_A_TEXT]}"' for start in starts)
