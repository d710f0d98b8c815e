"""The values of MAIL_FROM and SMTP_URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, Self
from urllib.parse import unquote

from pydantic import SecretStr

from newsletter.config.urls import is_local, server_host
from newsletter.config.values import mailable
from newsletter.domain.address import Address

StartTls = Literal["required", "optional", "never"]

_NAME_AND_ADDRESS = re.compile(r'(?:("(?:[^"\\]|\\.)*"|[^<>]*?)\s*<([^<>]*)>|([^<>\s]*))')
#: User and password reach to the last @, so that a password may be written as it is.
_SMTP_URL = re.compile(
    r"(?P<scheme>smtps?)://(?:(?P<user>[^:\s]+):(?P<password>\S+)@)?"
    r"(?P<host>\[[0-9a-f:.]+\]|[^\s:/?#@\[\]]+)(?::(?P<port>[1-9]\d{0,4}))?/?"
    r"(?:\?starttls=(?P<starttls>required|optional|never))?",
    re.IGNORECASE,
)
_ASCII = re.compile(r"[ -~]+")


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
    """SMTP_URL; `implicit_tls`: smtps://."""

    host: str
    port: int
    user: str | None
    password: SecretStr | None
    implicit_tls: bool
    starttls: StartTls

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse `smtp://user:password@host:port?starttls=…` or `smtps://…`; raise ValueError."""
        found = _SMTP_URL.fullmatch(url)
        if found is None or int(found["port"] or 0) > 65535:
            raise ValueError(
                "must look like smtp://user:password@host:port or smtps://…, at most with"
                " ?starttls=required, optional or never; write a blank in a password as %20"
            )
        host = server_host(found["host"].strip("[]").lower())
        implicit_tls = found["scheme"].lower() == "smtps"
        starttls: Any = (found["starttls"] or "").lower()
        if not starttls:
            starttls = "never" if is_local(f"//{found['host']}") else "required"
        user, password = _decoded(found["user"]), _decoded(found["password"])
        return cls(
            host=host,
            port=int(found["port"] or (465 if implicit_tls else 587)),
            user=user,
            password=None if password is None else SecretStr(password),
            implicit_tls=implicit_tls,
            starttls=starttls,
        )


def _decoded(part: str | None) -> str | None:
    """A user or a password, which may be percent-encoded."""
    if part is None:
        return None
    text = unquote(part)
    if not _ASCII.fullmatch(text):
        raise ValueError("needs a user and a password in ASCII (write % as %25)")
    return text
