"""Logs of every process: one line for each record on stderr, without anything personal or secret.

A message or an exception may carry more than its author thought of, so the finished text is redacted, with its
arguments and its traceback. Loggers of libraries are redacted, too.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from newsletter.config import Settings

REDACTED = "[redacted]"

#: At DEBUG, libraries would log personal data: statements' values, clients, whole URLs.
_QUIET = {
    "sqlalchemy": logging.WARNING,
    "alembic": logging.INFO,
    "urllib3": logging.INFO,
    "werkzeug": logging.INFO,
    "flask-limiter": logging.WARNING,
    "waitress": logging.WARNING,
    # It logs every request that waits for a thread.
    "waitress.queue": logging.ERROR,
}
_SHORTEST_SECRET = 4
#: The beginning of gunicorn's line that names the address on which the service listens.
_LISTENING = "Listening at: %s"
#: Their lines are made of our own words and of numbers: one for each request, one for each letter.
_OWN_WORDS = frozenset({"newsletter.web.http.access_log", "newsletter.worker.mail.postman"})

_CREDENTIALS = re.compile(r"\b([Bb]earer|Basic)(\s+)[\w.~+/=-]{6,}")
_LINK = re.compile(
    r"(/(?:confirm|not-me|unsubscribe|my-data|receipts|webhooks/mailchimp|members)/)[^\s\"'<>?#,)]+"
)
_QUERY = re.compile(r"(?<=[\w/])\?[^\s\"'<>=]*=[^\s\"'<>]*")
_IN_ADDRESS = r"[^\s\"'<>(),:;\[\]\\@]"
_ADDRESS = re.compile(
    rf"""(?:"[^"\n]*"|(?<!{_IN_ADDRESS}){_IN_ADDRESS}+)(?:@|%40)[^\s"'<>(),:;\[\]\\/?&#]+"""
)
#: A link's token (subscriptions/links.py), as long and with letters of both cases; a hash has only small ones.
_TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{44,}(?![\w-])")
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?=[^:\s]{0,4}:[^:\s]{0,4}:)[0-9A-Fa-f:.]{2,45}(?!\w)")
#: PostgreSQL's copy of a row that violates a constraint.
_DETAIL = re.compile(r"DETAIL:[^\n]*")
#: Characters that begin a new line or control a terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class RedactingFormatter(logging.Formatter):
    """Formats a record as `2026-11-22T10:00:00.000Z LEVEL logger message`, redacted.

    Redacted are the `secrets` and everything that looks like an address, an IP, a link or a credential.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        forms = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
        long_enough = (form for form in forms if len(form) >= _SHORTEST_SECRET)
        self._secrets = sorted(long_enough, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Put a record on one line; the lines of a traceback are indented, so none looks like a record."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = f"{at.replace('+00:00', 'Z')} {record.levelname} {record.name}"
        # record.msg is the text in gunicorn's source, without arguments: no client can forge it.
        names_our_address = record.name == "gunicorn.error" and str(record.msg).startswith(
            _LISTENING
        )
        text = record.getMessage()
        if record.name not in _OWN_WORDS:
            text = self._redact(text, with_ips=names_our_address).replace("\n", "\\n")
        if record.exc_info and record.exc_info[0] is not None:
            trace = self._redact(self.formatException(record.exc_info))
            text += "".join(f"\n  {line}" for line in trace.split("\n"))
        return f"{head} {text}"

    def _redact(self, text: str, *, with_ips: bool = False) -> str:
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        text = _DETAIL.sub(f"DETAIL: {REDACTED}", text)
        text = _CREDENTIALS.sub(rf"\1\2{REDACTED}", text)
        text = _LINK.sub(rf"\1{REDACTED}", text)
        text = _QUERY.sub(f"?{REDACTED}", text)
        text = _ADDRESS.sub(REDACTED, text)
        text = _TOKEN.sub(REDACTED, text)
        if not with_ips:
            text = _IPV6.sub(_without_ip, _IPV4.sub(_without_ip, text))
        return _CONTROL.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _without_ip(found: re.Match[str]) -> str:
    for candidate in (found[0], found[0].rstrip(".:")):
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        # 0.0.0.0 and :: are addresses to listen on, and nobody's own.
        return found[0] if address.is_unspecified else found[0].replace(candidate, REDACTED)
    return found[0]


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what sys.stderr is at the time of a record."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # as logging.lastResort does
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Report a lost record; the standard library would print its arguments unredacted."""
        with suppress(Exception):
            sys.stderr.write(f"a record of {record.name} could not be written\n")


def configure(settings: Settings) -> None:
    """Send every logger's records through the redacting formatter; may be called again."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Stderr)]:
        root.removeHandler(handler)
    handler = _Stderr()
    handler.setFormatter(RedactingFormatter(secrets_of(settings)))
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, root.level))
    sys.excepthook = _log_uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _log_uncaught_in_thread


def secrets_of(settings: Settings) -> set[str]:
    """Every configured secret, those inside URLs included."""
    found: set[str] = set()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        for secret in value if isinstance(value, tuple) else (value,):
            if isinstance(secret, SecretStr):
                found.add(secret.get_secret_value())
    found.update(admin.token.get_secret_value() for admin in settings.admins)
    if settings.smtp is not None and settings.smtp.password is not None:
        found.add(settings.smtp.password.get_secret_value())
    urls = (settings.database_url, settings.storage_uri)
    passwords = [password for url in urls if (password := urlsplit(url).password)]
    return found.union(passwords, map(unquote, passwords))


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("newsletter").critical("ended by an error", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        _log_uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
