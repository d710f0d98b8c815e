"""Whether the database can be used: it is there, has this code's schema and a keyring, and can be written to."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import exists, insert, select
from sqlalchemy.exc import SQLAlchemyError

from newsletter.domain.errors import Unavailable
from newsletter.storage import database, outage
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job, Keyring
from newsletter.storage.outage import Trouble
from newsletter.storage.schema import Schema, schema_of

#: How long it counts that one could write, and that one could not.
WRITABLE_SECONDS = 10.0
UNWRITABLE_SECONDS = 2.0
LEAST_FREE = 256 * 1024  #: octets beside SQLite's file; a sign-up takes some 40,000

_LOOK = "last look at whether one can write"


@dataclass(frozen=True)
class _Look:
    at: float
    trouble: Trouble | None

    def counts(self, now: float, written_at: float) -> bool:
        """Tell whether it need not be done again."""
        if self.trouble is not None:
            return now - self.at < UNWRITABLE_SECONDS and written_at < self.at
        return now - self.at < WRITABLE_SECONDS


class _TakenBack(Exception):
    """What was written for a trial is not to stay."""


def present() -> Trouble | None:
    """What keeps sign-ups from being taken now; None where nothing does. Never raises what the database raises."""
    try:
        with reading() as session:
            schema = schema_of(session.connection())
            if schema in (Schema.MISSING, Schema.BEHIND):
                return outage.NO_TABLES if schema is Schema.MISSING else outage.EARLIER_SCHEMA
            if not session.scalar(select(exists(select(Keyring.id)))):
                return outage.NO_KEYRING
    except (SQLAlchemyError, Unavailable) as error:
        return outage.trouble_of(error)
    return database.breaker().is_full() or unwritable()


def unwritable() -> Trouble | None:
    """Why a database that can be read cannot be written to; tried every few seconds, as it costs a little."""
    last: _Look | None = current_app.extensions.get(_LOOK)
    now = time.monotonic()
    if last is None or not last.counts(now, database.breaker().written_at):
        last = _Look(now, _try_to_write())
        current_app.extensions[_LOOK] = last
    return last.trouble


def _try_to_write() -> Trouble | None:
    if (file := database.file()) is not None:
        # What is taken back never leaves SQLite's memory.
        disk = os.statvfs(file.parent)
        if disk.f_bavail * disk.f_frsize < LEAST_FREE:
            return outage.FILE_FULL
    try:
        with suppress(_TakenBack), writing() as session:
            # More than a page, which a full disk has no room for.
            trial = {"name": f"trial {secrets.token_hex(8)}", "cursor": secrets.token_hex(4096)}
            session.execute(insert(Job).values(trial))
            raise _TakenBack
    except (SQLAlchemyError, Unavailable) as error:
        return outage.trouble_of(error)
    return None
