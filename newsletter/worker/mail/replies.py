"""What a mail server's replies mean: for this letter, for this mailbox, or for all letters (RFC 5321, RFC 3463).

Up to MAIL a failure concerns all letters. After it a refusal is the mailbox's only where its enhanced code says so
and no word speaks of the sender; any other may mean us or them, and sets the one letter aside. A reply may name the
address: only its codes become reasons.
"""

from __future__ import annotations

import re
import smtplib
import ssl

from newsletter.domain.errors import DeliveryFailure, Meaning

REPLY_LENGTH = 500  #: characters of a reply that are kept as evidence

#: RFC 3463 § 3.2 and 3.3, RFC 7505: no such mailbox or domain, or one that is full or takes nothing.
_OF_THE_MAILBOX = {
    *("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"),
    *("5.2.0", "5.2.1", "5.2.2", "5.2.3"),
}
_SIGN_IN = {530, 535, 538}  #: RFC 4954 § 6
_OF_THE_SENDER = re.compile(
    r"sender|sending|send.?as|submission|outbound|originat|\bfrom\b|return.?path|\brelay|\bclient"
    r"|authenti|\byour (?:ip|account|domain|host|server)|not (?:verified|permitted to send)",
    re.IGNORECASE,
)
#: At the beginning of a line, in qmail's "(#5.1.1)", or in another server's reply that is passed on.
_ENHANCED = re.compile(r"(?m)(?:^|#|\b[45]\d\d[ -])([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)")


class Refused(DeliveryFailure):
    """The server refused a letter for good, without saying that it is the mailbox's matter: it may be ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(Meaning.RETRY_LATER, reason)


def expect(step: str, reply: tuple[int, bytes], *, wanted: int = 2, sender: str = "") -> str:
    """Return the reply as one line if its code begins with the wanted digit; raise what it means.

    Raises DeliveryFailure, or SMTPServerDisconnected for what is no SMTP reply at all. `sender`: the address that
    MAIL named; a refusal that speaks of it is not the recipient's.
    """
    code, text = reply
    words = text.decode("ascii", "replace")
    if code // 100 == wanted:
        printable = "".join(c if c.isprintable() else " " for c in words)
        return f"{code} {' '.join(printable.split())}"[:REPLY_LENGTH]
    if not 200 <= code <= 599:
        raise smtplib.SMTPServerDisconnected("no SMTP reply")
    reason = f"{step} {_codes(code, words)}"
    if step not in ("rcpt", "data") or code in _SIGN_IN:
        raise DeliveryFailure(Meaning.HOLD_ALL, reason)
    if code < 500:
        raise DeliveryFailure(Meaning.RETRY_LATER, reason)
    if _is_of_the_mailbox(words, sender):
        raise DeliveryFailure(Meaning.GIVE_UP_ONE, reason)
    raise Refused(reason)


def _is_of_the_mailbox(words: str, sender: str) -> bool:
    enhanced = set(_ENHANCED.findall(words))
    names_sender = bool(sender) and sender.casefold() in words.casefold()
    is_of_sender = names_sender or _OF_THE_SENDER.search(words) is not None
    return bool(enhanced) and enhanced <= _OF_THE_MAILBOX and not is_of_sender


def broken_off(error: OSError) -> str:
    """Say in one word how a connection was lost."""
    return "timeout" if isinstance(error, TimeoutError) else "network"


def why_not_signed_in(error: OSError) -> str:
    """Say in one word, with the server's code if there is one, what kept us from signing in."""
    match error:
        case smtplib.SMTPResponseException():
            words = error.smtp_error
            text = words if isinstance(words, str) else words.decode("ascii", "replace")
            return f"{_step_of(error)} {_codes(error.smtp_code, text)}"
        case smtplib.SMTPServerDisconnected():
            return "network"
        case smtplib.SMTPException():
            return "auth_not_offered"  # by no method that smtplib knows
        case ssl.SSLError():
            return "tls"
        case TimeoutError():
            return "timeout"
        case _:
            return "connect"


def _step_of(error: smtplib.SMTPResponseException) -> str:
    match error:
        case smtplib.SMTPConnectError():
            return "connect"
        case smtplib.SMTPHeloError():
            return "ehlo"
        case smtplib.SMTPAuthenticationError():
            return "auth"
        case _:
            return "starttls"


def _codes(code: int, words: str) -> str:
    enhanced = _ENHANCED.search(words)
    return f"{code} {enhanced[1]}" if enhanced else str(code)
