"""A mailbox that accepts every letter over real SMTP on loopback, and fails where it is scripted to."""

from __future__ import annotations

import email
import email.policy
import logging
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.replies import Script, ScriptedReply, Stage
from sandbox.running import Running
from sandbox.smtp import Handler, Server


@dataclass(frozen=True)
class Letter:
    """One message with its envelope; `raw` has the octets received."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes
    at: datetime

    def body(self, kind: str) -> str | None:
        """The text as `plain` or as `html`, None if it has none."""
        part = self.message.get_body((kind,))
        return None if part is None else str(part.get_content())


class Mailbox(Running):
    """Takes every letter for everybody; as a context manager it is started.

    `auth` (user, password) refuses clients that do not log in; `tls` offers STARTTLS or, with
    `implicit_tls`, speaks TLS from the first byte; `smtputf8=False` refuses addresses beyond ASCII.
    """

    def __init__(
        self,
        *,
        auth: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        smtputf8: bool = True,
    ) -> None:
        self.letters: list[Letter] = []
        self.connections = 0  #: the number since the start
        self._auth, self._tls = auth, tls
        self._implicit_tls, self._smtputf8 = implicit_tls, smtputf8
        self._script = Script()
        self._changed = threading.Condition()
        self._server: Server | None = None

    def start(self, port: int = 0) -> None:
        """Listen; port 0 takes a free one. Raise OSError if the port is taken."""
        # aiosmtpd logs addresses and whole conversations, which tests would capture.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        handler = Handler(
            self._script,
            demands_login=self._auth is not None,
            greeted=self._count,
            keep=self._keep,
        )
        self._server = Server(
            port,
            handler,
            ssl_context=self._tls if self._implicit_tls else None,
            server_hostname="mailbox.example.com",
            tls_context=None if self._implicit_tls else self._tls,
            authenticator=self._authenticate,
            auth_require_tls=self._auth is None,
            enable_SMTPUTF8=self._smtputf8,
        )
        self._server.start()
        self.connections = 0  # aiosmtpd connects to itself once

    def stop(self) -> None:
        """End every stall and every connection."""
        self._script.release()
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def smtp_url(self) -> str:
        """The value for SMTP_URL, with user and password where they are required."""
        if self._server is None:
            raise RuntimeError("the mailbox is not started")
        scheme = "smtps" if self._implicit_tls else "smtp"
        login = "" if self._auth is None else ":".join(quote(part, "") for part in self._auth) + "@"
        return f"{scheme}://{login}127.0.0.1:{self._server.port}"

    def letters_to(self, address: str) -> list[Letter]:
        """The letters to one address in any case, oldest first."""
        wanted = address.lower()
        return [
            letter
            for letter in self.letters
            if wanted in [recipient.lower() for recipient in letter.recipients]
        ]

    def wait_for(self, wanted: int | Callable[[], object], timeout: float = 300.0) -> bool:
        """Wait for so many letters, or until a predicate holds; raise TimeoutError (seconds)."""
        holds = wanted if callable(wanted) else lambda: len(self.letters) >= wanted
        with self._changed:
            if not self._changed.wait_for(holds, timeout):
                raise TimeoutError(f"not so within {timeout} s, after {len(self.letters)} letters")
        return True

    def answer_next(
        self,
        stage: Stage,
        reply: str | None,
        times: int = 1,
        match_recipient: str | None = None,
        *,
        keeps: bool = False,
    ) -> None:
        """Script a reply at a stage (None: hang up); `keeps`: accept the letter nevertheless."""
        self._script.add(ScriptedReply(stage, reply, times, match_recipient, keeps))

    def answer_normally(self) -> None:
        """Drop all scripted replies."""
        self._script.clear()

    def stall(self, stage: Stage, match_recipient: str | None = None) -> threading.Event:
        """Stay silent at a stage until the returned event is set."""
        return self._script.stall(stage, match_recipient)

    def _authenticate(
        self, _: SMTP, __: Session, ___: Envelope, ____: str, data: LoginPassword
    ) -> AuthResult:
        wanted = None if self._auth is None else tuple(part.encode() for part in self._auth)
        return AuthResult(success=(data.login, data.password) == wanted, handled=False)

    def _count(self) -> None:
        with self._changed:
            self.connections += 1
            self._changed.notify_all()

    def _keep(self, envelope: Envelope) -> None:
        raw = bytes(envelope.original_content or b"")
        text = raw.replace(b"\r\n", b"\n")  # get_content() keeps CRLF
        message = email.message_from_bytes(text, policy=email.policy.default)
        sender, recipients = envelope.mail_from or "", tuple(envelope.rcpt_tos)
        letter = Letter(sender, recipients, message, raw, datetime.now(UTC))
        with self._changed:
            self.letters.append(letter)
            self._changed.notify_all()
