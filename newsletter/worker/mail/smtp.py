"""Sends letters to the mail server, over a connection that is reused (RFC 5321).

Nothing is sent unencrypted unless SMTP_URL allows it, and no password unless it says `starttls=never`.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from newsletter.config import Settings, SmtpServer, is_local
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.texts.letters import Finished
from newsletter.worker.mail.conversation import Conversation, Patience, Replies
from newsletter.worker.mail.folder import FolderPostbox
from newsletter.worker.mail.replies import Refused, broken_off, expect
from newsletter.worker.mail.signing_in import connect

FOLDER = Path("var/mail")


class SlowReply:
    """The outstanding reply to a letter that the server has; its connection is not used for other letters."""

    def __init__(self, conversation: Conversation, sender: str) -> None:
        self._conversation = conversation
        self._sender = sender

    def wait(self) -> str:
        """Wait for the reply, at most ten minutes from the final dot, and return it; raise DeliveryFailure."""
        try:
            return expect("data", self._conversation.getreply(), sender=self._sender)
        except OSError as error:
            raise _lost(error, outcome_unknown=True) from None
        finally:
            self._conversation.hang_up()


class Postbox(Protocol):
    """Sends letters; used by one thread.

    `send` calls `may_finish` right before the server can accept the letter. `probe` tests the server without a letter.
    `end_within` limits all waiting, also for slow replies, to so many seconds from now; any thread may call it.
    """

    def send(self, letter: Finished, may_finish: Callable[[], bool]) -> str | SlowReply: ...
    def probe(self) -> None: ...
    def end_within(self, seconds: float) -> None: ...
    def close(self) -> None: ...


class SmtpPostbox:
    """A mail server; `helo` is our host's name."""

    def __init__(
        self, server: SmtpServer, *, helo: str | None = None, patience: Patience | None = None
    ) -> None:
        self._server = server
        self._helo = helo
        self._patience = patience or Patience()
        self._kept: Conversation | None = None  #: between two letters
        self._is_reset = True  #: whether the last letter ended its transaction
        self._ends_at = inf

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Only when it is needed: reading the system's certificates takes 30 ms.
        return ssl.create_default_context()

    def send(self, letter: Finished, may_finish: Callable[[], bool]) -> str | SlowReply:
        """Send one letter and return the server's reply as one line; raise DeliveryFailure."""
        sender = letter.sender
        content = letter.octets.replace(b"\r\n.", b"\r\n..")  # RFC 5321 § 4.5.2
        smtp, replies = self._begin(sender, f"RCPT TO:<{letter.recipient}>", "DATA")
        is_finished = False
        try:
            expect("rcpt", next(replies), sender=sender)
            expect("data", next(replies), wanted=3, sender=sender)
            smtp.send(content)
            if not may_finish():
                smtp.close()
                raise DeliveryFailure(Meaning.RETRY_LATER, "lease_lost")
            smtp.limit(self._patience.end)
            # Sent separately: before it, no server can have accepted the letter.
            is_finished = True
            smtp.send(b".\r\n")
            if not smtp.has_reply_within(self._patience.prompt):
                return SlowReply(smtp, sender)
            reply = expect("data", smtp.getreply(), sender=sender)
        except DeliveryFailure as failure:
            self._keep_unless_limited(smtp, failure)
            raise
        except OSError as error:
            smtp.close()
            raise _lost(error, outcome_unknown=is_finished) from None
        except BaseException:
            smtp.close()
            raise
        self._kept, self._is_reset = smtp, True
        return reply

    def probe(self) -> None:
        """Connect and sign in, or send NOOP over the kept connection; raise DeliveryFailure."""
        kept = self._still_open(1, "NOOP")
        self._kept = kept[0] if kept else self._connect()

    def try_envelope(self, sender: str, recipient: str) -> None:
        """Send MAIL and RCPT, and hang up before a letter is sent; raise DeliveryFailure."""
        smtp, replies = self._begin(sender, f"RCPT TO:<{recipient}>")
        try:
            expect("rcpt", next(replies), sender=sender)
        except OSError as error:
            smtp.close()
            raise _lost(error) from None
        finally:
            smtp.hang_up()

    def end_within(self, seconds: float) -> None:
        """Limit all waiting for the server to so many seconds from now."""
        self._ends_at = time.monotonic() + seconds

    def close(self) -> None:
        """Close the connection; the next letter opens a new one."""
        smtp, self._kept = self._kept, None
        if smtp is not None:
            smtp.hang_up()

    def _keep_unless_limited(self, smtp: Conversation, failure: DeliveryFailure) -> None:
        # A 4xx may be about the session, such as its number of letters: then a new connection helps.
        is_of_letter = failure.meaning is Meaning.GIVE_UP_ONE or isinstance(failure, Refused)
        if is_of_letter and smtp.settle():
            self._kept, self._is_reset = smtp, False
        else:
            smtp.hang_up()

    def _begin(self, sender: str, *following: str) -> tuple[Conversation, Replies]:
        """A conversation whose server accepted MAIL, and the replies to the commands that follow it."""
        # Servers close idle connections, or limit the letters of one. A new connection helps in both cases, so a
        # refusal over a kept one never counts. RSET ends the transaction of a refused letter.
        mail = f"MAIL FROM:<{sender}>"
        if not "".join((mail, *following)).isprintable():
            # smtplib says so as well, but not of commands that are sent together.
            raise ValueError("a command is one line")
        opening = (mail,) if self._is_reset else ("RSET", mail)
        if kept := self._still_open(len(opening), *opening, *following):
            return kept
        smtp = self._connect()
        try:
            replies = smtp.ask(mail, *following)
            expect("mail", next(replies))
        except DeliveryFailure:
            smtp.hang_up()
            raise
        except OSError as error:
            smtp.close()
            raise _lost(error) from None
        return smtp, replies

    def _still_open(self, needed: int, *commands: str) -> tuple[Conversation, Replies] | None:
        """The kept connection, if its server accepts the first commands, and the replies to the others."""
        smtp, self._kept = self._kept, None
        if smtp is None:
            return None
        try:
            smtp.limit(self._patience.connect)
            replies = smtp.ask(*commands)
            for _ in range(needed):
                expect("kept", next(replies))
            smtp.limit(self._patience.letter, self._patience.command)
        except DeliveryFailure:
            smtp.hang_up()
            return None
        except OSError:
            smtp.close()
            return None
        return smtp, replies

    def _connect(self) -> Conversation:
        return connect(
            self._server, self._helo, self._patience, lambda: self._tls, lambda: self._ends_at
        )


def postbox_for(settings: Settings, *, patience: Patience | None = None) -> Postbox:
    """The mail server of SMTP_URL, or else the folder var/mail/."""
    if settings.smtp is None:
        return FolderPostbox(FOLDER)
    helo = None if is_local(settings.public_url) else urlsplit(settings.public_url).hostname
    return SmtpPostbox(settings.smtp, helo=helo, patience=patience)


def _lost(error: OSError, *, outcome_unknown: bool = False) -> DeliveryFailure:
    return DeliveryFailure(Meaning.RETRY_LATER, broken_off(error), outcome_unknown=outcome_unknown)
