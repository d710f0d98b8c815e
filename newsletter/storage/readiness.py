"""Whether the database is usable: it answers, has this code's schema and a keyring, and accepts writes."""

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

#: How long the result of a write test is reused after a success, and after a failure.
WRITABLE_SECONDS = 10.0
UNWRITABLE_SECONDS = 2.0
LEAST_FREE = 256 * 1024  #: octets on the disk of the SQLite file; a sign-up needs about 40,000

_LAST_TEST = "last write test"


@dataclass(frozen=True)
class _WriteTest:
    at: float
    trouble: Trouble | None

    def is_fresh(self, now: float, written_at: float) -> bool:
        """Whether it need not be repeated; a later write makes a failure obsolete."""
        if self.trouble is not None:
            return now - self.at < UNWRITABLE_SECONDS and written_at < self.at
        return now - self.at < WRITABLE_SECONDS


class _RollBack(Exception):
    """Ends the transaction of a write test."""


def trouble() -> Trouble | None:
    """Why no sign-up can be accepted now; None: it can. Never raises a database error."""
    try:
        with reading() as session:
            schema = schema_of(session.connection())
            if schema in (Schema.MISSING, Schema.BEHIND):
                return outage.NO_TABLES if schema is Schema.MISSING else outage.EARLIER_SCHEMA
            if not session.scalar(select(exists(select(Keyring.id)))):
                return outage.NO_KEYRING
    except (SQLAlchemyError, Unavailable) as error:
        return outage.trouble_of(error)
    return database.breaker().full_disk() or unwritable()


def unwritable() -> Trouble | None:
    """Why a readable database does not accept writes; tested every few seconds."""
    last: _WriteTest | None = current_app.extensions.get(_LAST_TEST)
    now = time.monotonic()
    if last is None or not last.is_fresh(now, database.breaker().written_at):
        last = _WriteTest(now, _try_to_write())
        current_app.extensions[_LAST_TEST] = last
    return last.trouble


def _try_to_write() -> Trouble | None:
    if (file := database.file()) is not None:
        # A rolled-back write stays in SQLite's memory: it would not notice a full disk.
        disk = os.statvfs(file.parent)
        if disk.f_bavail * disk.f_frsize < LEAST_FREE:
            return outage.FILE_FULL
    try:
        with suppress(_RollBack), writing() as session:
            # More than one page, for which a full disk has no room.
            row = {"name": f"trial {secrets.token_hex(8)}", "cursor": secrets.token_hex(4096)}
            session.execute(insert(Job).values(row))
            raise _RollBack
    except (SQLAlchemyError, Unavailable) as error:
        return outage.trouble_of(error)
    return None
