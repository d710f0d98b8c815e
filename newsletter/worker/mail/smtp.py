"""Hands a letter to the mail server, over a connection that is kept for the next one (RFC 5321).

Nothing is sent in the clear unless SMTP_URL allows it, and no password unless it says "never".
"""

from __future__ import annotations

import ipaddress
import re
import smtplib
import socket
import ssl
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from newsletter.config import Settings, SmtpServer, is_local
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.worker.mail.folder import FolderPostbox, as_sent
from newsletter.worker.mail.replies import (
    PERSONAL_AT_END,
    PERSONAL_AT_RCPT,
    broken_off,
    expect,
    why_not_signed_in,
)

FOLDER = Path("var/mail")
QUIT_SECONDS = 1.0  #: a farewell must not hold up the end of the process


@dataclass(frozen=True)
class Patience:
    """How many seconds the server may take: to greet, to answer a command, to take a letter."""

    connect: float = 10.0
    command: float = 20.0
    end: float = 60.0


class Postbox(Protocol):
    """Takes letters; belongs to one thread. `probe` finds out, without a letter, whether it can."""

    def send(self, message: EmailMessage) -> str: ...
    def probe(self) -> None: ...
    def close(self) -> None: ...


class SmtpPostbox:
    """A mail server, its connection kept from letter to letter; `helo` is our host's name."""

    def __init__(
        self, server: SmtpServer, *, helo: str | None = None, patience: Patience | None = None
    ) -> None:
        self._server = server
        self._helo = helo
        self._patience = patience or Patience()
        self._smtp: smtplib.SMTP | None = None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Only once it is needed: reading the system's certificates takes 30 ms.
        return ssl.create_default_context()

    def send(self, message: EmailMessage) -> str:
        """Hand one letter over and return the server's reply as one line; raise DeliveryFailure."""
        sender = _only_address(message, "From", Meaning.HOLD_ALL)
        recipient = _only_address(message, "To", Meaning.GIVE_UP_ONE)
        content = re.sub(rb"(?m)^\.", b"..", as_sent(message))  # RFC 5321 § 4.5.2
        end_begun = False
        try:
            smtp = self._begin(f"MAIL FROM:<{sender}>")
            expect("rcpt", smtp.docmd(f"RCPT TO:<{recipient}>"), personal=PERSONAL_AT_RCPT)
            expect("data", smtp.docmd("DATA"), wanted=3)
            smtp.send(content)
            _wait_at_most(smtp, self._patience.end)
            # A write of its own: until it is begun, no server can have accepted the letter.
            end_begun = True
            smtp.send(b".\r\n")
            return expect("data", smtp.getreply(), personal=PERSONAL_AT_END)
        except OSError as error:
            self._drop()
            reason = broken_off(error)
            raise DeliveryFailure(Meaning.RETRY_LATER, reason, outcome_unknown=end_begun) from None

    def probe(self) -> None:
        """Connect and sign in, or ask the kept connection for a NOOP; raise DeliveryFailure."""
        if self._kept("NOOP") is None:
            self._smtp = self._connect()

    def try_envelope(self, sender: str, recipient: str) -> None:
        """Name both to the server, and take it back before there is a letter; raise DeliveryFailure."""
        try:
            smtp = self._begin(f"MAIL FROM:<{sender}>")
            expect("rcpt", smtp.docmd(f"RCPT TO:<{recipient}>"), personal=PERSONAL_AT_RCPT)
            expect("rset", smtp.docmd("RSET"))
        except OSError as error:
            self._drop()
            raise DeliveryFailure(Meaning.RETRY_LATER, broken_off(error)) from None

    def close(self) -> None:
        """Say goodbye and let go of the connection; the next letter opens a new one."""
        if self._smtp is not None:
            with suppress(OSError):
                _wait_at_most(self._smtp, QUIT_SECONDS)
                self._smtp.quit()
        self._drop()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def _begin(self, mail: str) -> smtplib.SMTP:
        # Servers hang up on idle clients, or after so many letters. A new connection settles
        # either, so a kept one's refusal never counts. RSET clears away a refused letter.
        if (smtp := self._kept("RSET", mail)) is None:
            smtp = self._smtp = self._connect()
            expect("mail", smtp.docmd(mail))
        return smtp

    def _kept(self, *commands: str) -> smtplib.SMTP | None:
        if self._smtp is not None:
            with suppress(OSError, DeliveryFailure):
                _wait_at_most(self._smtp, self._patience.command)
                for command in commands:
                    expect("kept", self._smtp.docmd(command))
                return self._smtp
        self._drop()
        return None

    def _connect(self) -> smtplib.SMTP:
        try:
            with ExitStack() as on_failure:
                smtp = self._dial()
                on_failure.callback(smtp.close)
                if smtp.sock is not None:
                    # Else the end of a letter waits 40 ms for the receipt of its content.
                    smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _wait_at_most(smtp, self._patience.command)
                self._encrypt(smtp)
                self._log_in(smtp)
                on_failure.pop_all()
                return smtp
        except (OSError, ValueError) as error:
            raise DeliveryFailure(Meaning.HOLD_ALL, why_not_signed_in(error)) from None

    def _dial(self) -> smtplib.SMTP:
        at, seconds = (self._server.host, self._server.port, self._helo), self._patience.connect
        if self._server.implicit_tls:
            return smtplib.SMTP_SSL(*at, timeout=seconds, context=self._tls)
        return smtplib.SMTP(*at, timeout=seconds)

    def _encrypt(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if self._server.implicit_tls or self._server.starttls == "never":
            return
        if smtp.has_extn("starttls"):
            smtp.starttls(context=self._tls)
            smtp.ehlo_or_helo_if_needed()
        elif self._server.starttls == "required":
            raise DeliveryFailure(Meaning.HOLD_ALL, "starttls_not_offered")

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        user, password = self._server.user, self._server.password
        if user is None or password is None:
            return
        if self._server.starttls != "never" and not _is_private(smtp):
            raise DeliveryFailure(Meaning.HOLD_ALL, "auth_without_tls")
        if not smtp.has_extn("auth"):
            raise DeliveryFailure(Meaning.HOLD_ALL, "auth_not_offered")
        smtp.login(user, password.get_secret_value())


def postbox_for(settings: Settings, *, patience: Patience | None = None) -> Postbox:
    """The mail server of SMTP_URL, or else the folder var/mail/."""
    if settings.smtp is None:
        return FolderPostbox(FOLDER)
    helo = None if is_local(settings.public_url) else urlsplit(settings.public_url).hostname
    return SmtpPostbox(settings.smtp, helo=helo, patience=patience)


def _only_address(message: EmailMessage, header: str, meaning: Meaning) -> str:
    """The address in a header, in ASCII (SMTPUTF8 is not spoken); it is written into a command."""
    (mailbox,) = message[header].addresses
    address: str = mailbox.addr_spec
    if not (address.isascii() and address.isprintable()):
        raise DeliveryFailure(meaning, "address_not_ascii")
    return address


def _wait_at_most(smtp: smtplib.SMTP, seconds: float) -> None:
    if smtp.sock is not None:
        smtp.sock.settimeout(seconds)


def _is_private(smtp: smtplib.SMTP) -> bool:
    """Tell whether nobody in between can read along: TLS, or the server is on this host."""
    if smtp.sock is None or isinstance(smtp.sock, ssl.SSLSocket):
        return smtp.sock is not None
    return ipaddress.ip_address(smtp.sock.getpeername()[0]).is_loopback
