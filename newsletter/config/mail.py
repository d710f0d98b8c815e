"""The values of MAIL_FROM and SMTP_URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import unquote

from pydantic import SecretStr

from newsletter.config.values import is_local, mailable, url_parts
from newsletter.domain import hosts
from newsletter.domain.address import Address

StartTls = Literal["required", "optional", "never"]

_NAME_AND_ADDRESS = re.compile(r'(?:("(?:[^"\\]|\\.)*"|[^<>]*?)\s*<([^<>]*)>|([^<>\s]*))')
_STARTTLS: dict[str, StartTls] = {
    "starttls=required": "required",
    "starttls=optional": "optional",
    "starttls=never": "never",
}


@dataclass(frozen=True)
class Sender:
    """MAIL_FROM; the name may hold any printable character."""

    name: str
    address: Address

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse `Name <address>`, `"Name" <address>` or an address; raise ValueError."""
        found = _NAME_AND_ADDRESS.fullmatch(value.strip())
        if found is None or not value.isprintable():
            raise ValueError("must look like: Name <address>, on one line")
        name, address = found[1] or "", found[2] if found[3] is None else found[3]
        if name.startswith('"') and name.endswith('"'):
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        return cls(name.strip(), mailable(address))


@dataclass(frozen=True)
class SmtpServer:
    """SMTP_URL; `implicit_tls` from the first octet on (smtps://)."""

    host: str
    port: int
    user: str | None
    password: SecretStr | None
    implicit_tls: bool
    starttls: StartTls

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse `smtp://user:password@host:port?starttls=…` or `smtps://…`; raise ValueError."""
        parts = url_parts(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("must look like smtp://user:password@host:port or smtps://…")
        if parts.path not in ("", "/") or parts.fragment:
            raise ValueError("must not name a path")
        # Python's own conversion (IDNA 2003) would make strasse of straße.
        host = parts.hostname if parts.hostname.isascii() else hosts.ascii_name(parts.hostname)
        if parts.query and parts.query not in _STARTTLS:
            raise ValueError("may only add ?starttls=required, optional or never")
        if (parts.username is None) != (parts.password is None):
            raise ValueError("needs both a user and a password, or neither")
        implicit = parts.scheme == "smtps"
        return cls(
            host=host,
            port=parts.port or (465 if implicit else 587),
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else SecretStr(unquote(parts.password)),
            implicit_tls=implicit,
            starttls=_STARTTLS.get(parts.query, "never" if is_local(url) else "required"),
        )
