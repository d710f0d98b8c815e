"""Sending a letter with the standard library's SMTP client."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from urllib.parse import urlsplit

from sandbox.mailbox import Mailbox


def letter_to(*recipients: str) -> EmailMessage:
    """A letter with a link."""
    message = EmailMessage()
    message["From"] = "Muster & Söhne <newsletter@example.com>"
    message["To"] = ", ".join(recipients)
    message["Subject"] = "Bitte bestätigen"
    message.set_content("Guten Tag,\n.\nhttps://example.com/confirm/abc\n")
    return message


def port_of(mailbox: Mailbox) -> int:
    """Where the mailbox listens."""
    return urlsplit(mailbox.smtp_url).port or 0


def connected(mailbox: Mailbox, timeout: float = 5.0) -> smtplib.SMTP:
    """A client at its greeting; `timeout` in seconds."""
    # With a name of its own the client looks up none, which can take seconds.
    return smtplib.SMTP("127.0.0.1", port_of(mailbox), "localhost", timeout=timeout)


def send(mailbox: Mailbox, *recipients: str, timeout: float = 5.0) -> None:
    """Send a letter in a conversation of its own."""
    with connected(mailbox, timeout) as client:
        client.send_message(letter_to(*recipients))
