"""What a mail server's replies mean: for this letter, for this person, or for all letters.

Until the sign-in is done every failure is the server's as a whole; then the reply's code decides,
by the step it answers (RFC 5321, enhanced codes RFC 3463). A reply may name the address: only its
codes become reasons.
"""

from __future__ import annotations

import re
import smtplib
import ssl

from newsletter.domain.errors import DeliveryFailure, Meaning

REPLY_LENGTH = 500  #: characters of a reply that are kept as evidence

#: What is said of the one recipient: at RCPT anything but a matter of sign-in or policy, at the end
#: of DATA only what names the mailbox.
PERSONAL_AT_RCPT = re.compile(r"5(?!30|35)\d\d(?! 5\.7\.)")
PERSONAL_AT_END = re.compile(r"5\d\d 5\.[12]\.")

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


def expect(
    step: str, reply: tuple[int, bytes], *, wanted: int = 2, personal: re.Pattern[str] | None = None
) -> str:
    """Return the reply as one line if its code begins with the wanted digit; raise what it means.

    Raises DeliveryFailure, or SMTPServerDisconnected for what is no SMTP reply at all.
    """
    code, text = reply
    if code // 100 == wanted:
        words = "".join(c if c.isprintable() else " " for c in text.decode("ascii", "replace"))
        return f"{code} {' '.join(words.split())}"[:REPLY_LENGTH]
    if not 200 <= code <= 599:
        raise smtplib.SMTPServerDisconnected("no SMTP reply")
    codes = _codes(code, text)
    if personal is not None and personal.match(codes):
        raise DeliveryFailure(Meaning.GIVE_UP_ONE, f"{step} {codes}")
    raise DeliveryFailure(
        Meaning.HOLD_ALL if code >= 500 else Meaning.RETRY_LATER, f"{step} {codes}"
    )


def broken_off(error: OSError) -> str:
    """Say in one word how a connection was lost."""
    # smtplib reports a time-out as a lost connection, with the time-out as its context.
    is_timeout = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
    return "timeout" if is_timeout else "network"


def why_not_signed_in(error: OSError | ValueError) -> str:
    """Say in one word, with the server's code if there is one, what kept us from signing in."""
    match error:
        case smtplib.SMTPResponseException():
            return f"{_step_of(error)} {_codes(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPServerDisconnected():
            return broken_off(error)
        case smtplib.SMTPException():
            return "auth_not_offered"  # by no method that smtplib knows
        case ssl.SSLError():
            return "tls"
        case TimeoutError():
            return "timeout"
        case OSError():
            return "connect"
        case ValueError():
            return "smtp_url"  # what cannot be encoded there; the error's text would hold it


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


def _codes(code: int, text: bytes | str) -> str:
    words = text if isinstance(text, str) else text.decode("ascii", "replace")
    enhanced = _ENHANCED.match(words)
    return f"{code} {enhanced.group()}" if enhanced else str(code)
