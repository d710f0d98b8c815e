"""Opens a conversation with the mail server: connects, encrypts, and signs in."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable
from contextlib import ExitStack

from newsletter.config import SmtpServer
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.worker.mail.conversation import Conversation, Patience
from newsletter.worker.mail.replies import why_not_signed_in


def connect(
    server: SmtpServer,
    helo: str | None,
    patience: Patience,
    tls: Callable[[], ssl.SSLContext],
    ends_at: Callable[[], float],
) -> Conversation:
    """Connect, encrypt and sign in as the settings say; raise DeliveryFailure, always HOLD_ALL."""
    try:
        with ExitStack() as on_failure:
            smtp = Conversation(
                server, helo, patience, tls() if server.implicit_tls else None, ends_at
            )
            on_failure.callback(smtp.close)
            smtp.ehlo_or_helo_if_needed()
            if not server.implicit_tls and server.starttls != "never":
                _encrypt(smtp, tls, is_required=server.starttls == "required")
            if server.user is not None and server.password is not None:
                if server.starttls != "never" and not _is_private(smtp):
                    raise DeliveryFailure(Meaning.HOLD_ALL, "auth_without_tls")
                _sign_in(smtp, server.user, server.password.get_secret_value())
            on_failure.pop_all()
            return smtp
    except OSError as error:
        raise DeliveryFailure(Meaning.HOLD_ALL, why_not_signed_in(error)) from None


def _encrypt(smtp: Conversation, tls: Callable[[], ssl.SSLContext], *, is_required: bool) -> None:
    if smtp.has_extn("starttls"):
        smtp.starttls(context=tls())
        smtp.ehlo_or_helo_if_needed()
    elif is_required:
        raise DeliveryFailure(Meaning.HOLD_ALL, "starttls_not_offered")


def _sign_in(smtp: Conversation, user: str, password: str) -> None:
    if not smtp.has_extn("auth"):
        raise DeliveryFailure(Meaning.HOLD_ALL, "auth_not_offered")
    smtp.login(user, password)


def _is_private(smtp: Conversation) -> bool:
    """Tell whether nobody can read along: the connection has TLS, or the server is on this host."""
    if smtp.sock is None or isinstance(smtp.sock, ssl.SSLSocket):
        return smtp.sock is not None
    return ipaddress.ip_address(smtp.sock.getpeername()[0]).is_loopback
