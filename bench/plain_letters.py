"""Letters the plain way: an EmailMessage and a connection for each."""

from __future__ import annotations

import smtplib
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

_SECONDS = 5.0
_TEXT = (
    "Guten Tag,\n\nbitte bestätigen Sie Ihre Anmeldung:\n\nhttps://newsletter.example.com/confirm/{0}\n\n"
    * 8
)
_HTML = (
    "<!doctype html><html lang=de><body><p>Guten Tag,</p><p><a href='{0}'>Anmeldung bestätigen</a></p></body>"
    * 8
)


def measure(port: int) -> tuple[float, float]:
    """Letters a second to a mail server on this machine, and milliseconds of a core for each."""
    sent, began, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < _SECONDS:
        message = EmailMessage()
        message["From"] = "Muster & Söhne <newsletter@example.com>"
        message["To"] = f"person-{sent}@example.com"
        message["Subject"] = "Bitte bestätigen Sie Ihre Anmeldung zum Newsletter"
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain="example.com")
        message.set_content(_TEXT.format(sent))
        message.add_alternative(_HTML.format(sent), subtype="html")
        with smtplib.SMTP("127.0.0.1", port) as connection:
            connection.send_message(message)
        sent += 1
    used = time.process_time() - used
    return sent / (time.perf_counter() - began), used * 1000 / sent
