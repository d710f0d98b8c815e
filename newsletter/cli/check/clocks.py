"""This host's clock, compared with the database's, Mailchimp's and PUBLIC_URL's: leases and links depend on it."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime

from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from newsletter.cli.check import public_url
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings
from newsletter.domain import clock
from newsletter.domain.errors import DeliveryFailure
from newsletter.storage import database
from newsletter.storage.database import reading
from newsletter.worker.mailchimp.setup import setup_for

TOLERANCE_SECONDS = 30.0  #: the leases of a killed process end within these


def findings(settings: Settings, app: Flask | None) -> Iterator[Finding]:
    """The clocks that differ; one that does not answer is reported by its own check."""
    clocks: dict[str, Callable[[], datetime | None]] = {
        "the database's": lambda: _database(app),
        "Mailchimp's": lambda: _mailchimp(settings),
        "PUBLIC_URL's": lambda: _public_url(settings),
    }
    differing = [name for name, theirs in clocks.items() if _differs(theirs())]
    if differing:
        yield Finding(
            "clock",
            f"this host's differs by more than {TOLERANCE_SECONDS:.0f} s from {' and '.join(differing)}",
            "synchronise all hosts by NTP, such as with systemd-timesyncd",
        )


def _differs(theirs: datetime | None) -> bool:
    return theirs is not None and abs((clock.now() - theirs).total_seconds()) > TOLERANCE_SECONDS


def _database(app: Flask | None) -> datetime | None:
    if app is None:
        return None
    with app.app_context(), suppress(SQLAlchemyError):
        if not database.is_sqlite():
            with reading() as session:
                now: datetime | None = session.scalar(text("SELECT clock_timestamp()"))
                return now
    return None


def _mailchimp(settings: Settings) -> datetime | None:
    mailchimp = setup_for(settings)
    if mailchimp is None:
        return None
    try:
        return mailchimp.clock()
    except DeliveryFailure:
        return None
    finally:
        mailchimp.close()


def _public_url(settings: Settings) -> datetime | None:
    with suppress(OSError, http.client.HTTPException, ValueError):
        return parsedate_to_datetime(public_url.ask(settings.public_url).date or "")
    return None
