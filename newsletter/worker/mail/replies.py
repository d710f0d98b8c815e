"""Interprets replies of the mail server: about this letter, this mailbox, or all letters (RFC 5321, RFC 3463).

Up to MAIL, a failure concerns all letters. After that, a refusal is about the mailbox only if its enhanced code says so
and its words do not mention the sender; any other may be about us, and postpones the letter. A reply may contain the
address, so that only its codes are kept as the reason.
"""

from __future__ import annotations

import re
import smtplib
import ssl

from newsletter.domain.errors import DeliveryFailure, Meaning

REPLY_LENGTH = 500  #: characters of a reply that are kept as evidence

#: RFC 3463 § 3.2 and 3.3, RFC 7505: no such mailbox or domain, or one that is full or accepts nothing.
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
#: At the beginning of a line, in qmail's "(#5.1.1)", or in another server's reply that is quoted.
_ENHANCED = re.compile(r"(?m)(?:^|#|\b[45]\d\d[ -])([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)")


class Refused(DeliveryFailure):
    """A permanent refusal that does not say that it is about the mailbox: the cause may be ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(Meaning.RETRY_LATER, reason)


def expect(step: str, reply: tuple[int, bytes], *, wanted: int = 2, sender: str = "") -> str:
    """Return the reply as one line if its code begins with the wanted digit; otherwise raise DeliveryFailure.

    Raise SMTPServerDisconnected for what is no SMTP reply. `sender`: the address in MAIL; a refusal that contains it is
    not about the recipient.
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
    """The reason for a lost connection, as one word."""
    return "timeout" if isinstance(error, TimeoutError) else "network"


def why_not_signed_in(error: OSError) -> str:
    """The reason for a failed connection or sign-in, with the server's code if there is one."""
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
