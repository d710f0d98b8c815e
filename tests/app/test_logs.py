"""Logs: one line a record, and nothing personal or secret in it."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from newsletter.app.logs import RedactingFormatter, configure, secrets_of
from newsletter.config import load
from newsletter.subscriptions.links import Link, Purpose, url_for
from tests.conftest import COMPANY
from tests.people import STAFF_TOKEN, WEBHOOK_SECRET

log = logging.getLogger("tests.logs")


def line(
    message: str, *arguments: object, exc_info: Any = None, secrets: tuple[str, ...] = ()
) -> str:
    record = logging.LogRecord(
        "newsletter.x", logging.INFO, "x.py", 1, message, arguments, exc_info
    )
    return RedactingFormatter(secrets).format(record)


def text(message: str, *arguments: object, secrets: tuple[str, ...] = ()) -> str:
    return line(message, *arguments, secrets=secrets).split(" newsletter.x ", 1)[1]


def trace_of(message: str) -> str:
    try:
        raise RuntimeError(message)
    except RuntimeError:
        return line("failed", exc_info=sys.exc_info())


def test_a_record_is_time_level_logger_and_message() -> None:
    at, level, name, message = line("started %d", 3).split(" ", 3)

    assert at.endswith("Z")
    assert (level, name, message) == ("INFO", "newsletter.x", "started 3")


@pytest.mark.requires("R72")
@pytest.mark.parametrize(
    "address",
    [
        "ada@example.org",
        "Ada.Lovelace+news@mail.example.co.uk",
        "o'hara@example.com",
        "ada/lovelace=x@example.org",
        "ada%40example.org",
        "müller@straße.example",
        '"ada lovelace"@example.org',
        "ada@localhost",
        "ada@xn--strae-oqa.example",
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "<{}>", "to={}, x", "('{}',)", "x: {}.", "/?email={}&a=b"]
)
def test_an_address_is_redacted(address: str, around: str) -> None:
    kept = text(around.format(address))

    assert "@" not in kept
    assert "ada" not in kept
    assert "hara" not in kept
    assert "[redacted]" in kept


@pytest.mark.parametrize(
    "client",
    ["203.0.113.7", "127.0.0.1", "2001:db8::7", "::1", "fe80::1", "::ffff:203.0.113.7"],
)
@pytest.mark.parametrize("around", ["ip={}", "from {}: reset", "[{}]:4711", "({})", "{}."])
def test_a_clients_address_is_redacted(client: str, around: str) -> None:
    kept = text(around.format(client))

    assert client not in kept
    assert "[redacted]" in kept


@pytest.mark.parametrize(
    "harmless",
    [
        "Listening at: http://0.0.0.0:8000 (123)",
        "Starting gunicorn 27.0.1",
        "at 12:34:56 on 2026-03-01",
        "newsletter.web.http.errors: answered 500",
        "letter 0123456789abcdef0123456789abcdef sent in 0.3 s",
        "std::string",
        "Using worker: gthread",
        '  File "newsletter/web/errors.py", line 12, in answer',
        "@bp.get decorates",
        "GET /confirm/<token> 200 3 ms",
    ],
)
def test_harmless_text_is_kept(harmless: str) -> None:
    assert text(harmless) == harmless


@pytest.mark.parametrize(
    ("name", "message", "kept"),
    [
        ("gunicorn.error", "Listening at: %s (%s)", "http://127.0.0.1:8300 (7)"),
        ("gunicorn.error", "Connection from: %s (%s)", "http://[redacted]:8300 (7)"),
        ("newsletter.x", "Listening at: %s (%s)", "http://[redacted]:8300 (7)"),
    ],
)
def test_only_the_address_that_the_service_listens_on_is_logged(
    name: str, message: str, kept: str
) -> None:
    arguments = ("http://127.0.0.1:8300", 7)
    record = logging.LogRecord(name, logging.INFO, "x.py", 1, message, arguments, None)

    assert RedactingFormatter().format(record).endswith(kept)


def test_no_client_can_forge_the_address_that_the_service_listens_on() -> None:
    arguments = ("Listening at: %s http://203.0.113.7:80",)
    record = logging.LogRecord("gunicorn.error", logging.INFO, "x.py", 1, "%s", arguments, None)

    assert "203.0.113.7" not in RedactingFormatter().format(record)


@pytest.mark.requires("R72")
@pytest.mark.parametrize("purpose", Purpose)
def test_a_links_token_is_redacted_anywhere(purpose: Purpose) -> None:
    app = Flask(__name__)
    app.extensions["settings"] = load(COMPANY)
    with app.app_context():
        url = url_for(purpose, Link("0" * 32, 1))

    token = url.rsplit("/", 1)[1]
    assert text(url) == f"http://localhost:8000/{purpose}/[redacted]"
    for around in ("{}", "token={}", "bad signature: '{}'", "GET /confirm/{} HTTP/1.1", "x/{}?y"):
        assert token[-20:] not in text(around.format(token))


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted]"),
        ("'Authorization': 'Basic dXNlcjprZXk='", "'Authorization': 'Basic [redacted]'"),
        (
            "POST /webhooks/mailchimp/s3cr.et~x HTTP/1.1",
            "POST /webhooks/mailchimp/[redacted] HTTP/1.1",
        ),
        (
            "PUT /3.0/lists/a1/members/0a1b2c HTTP/1.1",
            "PUT /3.0/lists/a1/members/[redacted] HTTP/1.1",
        ),
        ("GET /nowhere?x=1&y=2 HTTP/1.1", "GET /nowhere?[redacted] HTTP/1.1"),
    ],
)
def test_credentials_and_urls_are_redacted(message: str, kept: str) -> None:
    assert text(message) == kept


def test_every_configured_secret_is_redacted() -> None:
    settings = load(
        {
            **COMPANY,
            "SMTP_URL": "smtp://user:p%40ss-word@127.0.0.1:25",
            "DATABASE_URL": "postgresql://user:data%20base-word@127.0.0.1/x",
            "STORAGE_URI": "redis://:storage-word@127.0.0.1",
            "MAILCHIMP_API_KEY": "0123456789abcdef-us1",
            "MAILCHIMP_LIST_ID": "a1",
            "MAILCHIMP_SIGNING_SECRET": "signing-word",
        }
    )

    words = [
        COMPANY["SECRET_KEY"],
        COMPANY["DATA_KEY"],
        "p@ss-word",
        "p%40ss-word",
        "data base-word",
        "data%20base-word",
        "storage-word",
        "0123456789abcdef-us1",
        "signing-word",
        WEBHOOK_SECRET,
        STAFF_TOKEN,
    ]
    kept = text(" | ".join(words), secrets=tuple(secrets_of(settings)))

    assert set(kept.split(" | ")) == {"[redacted]"}


def test_the_longest_secret_goes_first() -> None:
    assert text("x abcdef-long y", secrets=("abcdef", "abcdef-long")) == "x [redacted] y"


@pytest.mark.requires("R72")
@pytest.mark.parametrize("breaking", ["\n", "\r\n", "\x1b[2J", "\x85", "\u2028", "\x00"])
def test_a_message_stays_on_its_line(breaking: str) -> None:
    kept = line("one%stwo", breaking)

    assert kept.isprintable()


def test_a_traceback_is_redacted_and_cannot_pass_for_a_record() -> None:
    kept = trace_of("ada@example.org\n2026-03-01T00:00:00.000Z INFO newsletter forged\r\x1b[2J")

    assert "ada@" not in kept
    assert "Traceback" in kept
    assert all(each.startswith("  ") for each in kept.split("\n")[1:])
    assert "\r" not in kept
    assert "\x1b" not in kept


@pytest.fixture
def configured() -> Iterator[None]:
    """Logging as a process sets it up, at its most talkative."""
    configure(load({**COMPANY, "LOG_LEVEL": "DEBUG"}))
    yield
    configure(load(COMPANY))


@pytest.mark.parametrize("name", ["newsletter", "gunicorn.error", "werkzeug", "alembic", "urllib3"])
def test_every_logger_is_redacted(
    configured: None, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    logging.getLogger(name).warning("about %s", "ada@example.org")

    assert f"WARNING {name} about [redacted]\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["sqlalchemy.engine", "sqlalchemy.pool", "urllib3", "flask-limiter"]
)
def test_libraries_log_no_details_even_at_debug(configured: None, name: str) -> None:
    assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)


def test_setting_up_twice_writes_once(configured: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure(load(COMPANY))

    log.warning("once")

    assert capsys.readouterr().err.count("once") == 1


def test_a_record_that_cannot_be_written_shows_no_arguments(
    configured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("ada@example.org",)
    record = logging.LogRecord("tests.logs", logging.INFO, "x.py", 1, "%s %s", arguments, None)

    # pytest's own handler would raise.
    next(each for each in logging.root.handlers if type(each).__name__ == "_Stderr").handle(record)

    assert capsys.readouterr().err == "a record of tests.logs could not be written\n"


def test_an_error_that_ends_a_process_is_logged(
    configured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    error = RuntimeError("about ada@example.org")

    sys.excepthook(RuntimeError, error, None)

    assert "CRITICAL newsletter ended by an error\n  RuntimeError: about [redacted]" in (
        capsys.readouterr().err
    )


def test_an_interrupt_is_not_logged(configured: None, capsys: pytest.CaptureFixture[str]) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)

    assert capsys.readouterr().err == ""


def test_an_error_that_ends_a_thread_is_logged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    configure(load(COMPANY))

    def fail() -> None:
        raise RuntimeError("about ada@example.org")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

    assert "RuntimeError: about [redacted]" in capsys.readouterr().err
