"""Notices for staff, in one table that /ready and `newsletter check` list.

A process posts a notice when it detects a condition, and clears it when the condition is over. A process that may be
killed sets `until`, and renews the notice while the condition lasts. For a job that must run regularly, a notice with a
future `since` is posted anew after each run: so a missing run is reported even if no worker is alive. A notice never
contains a secret or an address.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.storage import statements
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Notice


@dataclass(frozen=True)
class Sentence:
    """What it is about (a setting or a subject), what is wrong (with `{detail}` replaced), and what to do."""

    about: str
    wrong: str
    remedy: str
    is_hint: bool = False  #: worth knowing, but no error

    def filled(self, detail: str | None) -> Sentence:
        return replace(self, wrong=self.wrong.replace("{detail}", detail or ""))


class Code(Enum):
    """All notices; the table stores the name in lower case (at most 32 characters)."""

    LETTER_UNSAFE = Sentence(
        "letters",
        "one was given up, since its recipient's address could be read as something else: reference {detail}",
        "see by `newsletter access` whose it is, and correct or erase it",
    )
    MAIL_OUTCOME_UNKNOWN = Sentence(
        "SMTP_URL",
        "the mail server took a letter and did not say whether it keeps it ({detail}); it may arrive up to three times",
        "see in the mail server's log why it answers so late, or not at all, at the end of DATA",
    )
    LETTERS_PER_HOUR = Sentence(
        "LETTERS_PER_HOUR",
        "{detail} letters were sent within an hour, as many as LETTERS_PER_HOUR allows: the rest waits",
        "raise it if these are real sign-ups; many at once may be somebody who signs up others",
    )
    CHECKPOINTS_UNFIT = Sentence(
        "LEDGER_CHECKPOINTS", "workers do not start: {detail}", "see docs/ledger.md"
    )
    CHECKPOINTS_UNWRITTEN = Sentence(
        "LEDGER_CHECKPOINTS",
        "checkpoints cannot be written: {detail}",
        "see that the folder is there, has room, and may be written to by the worker",
    )
    MAIL_ON_HOLD = Sentence(
        "SMTP_URL",
        "mail on hold: {detail}",
        "see the worker's log; it is tried again every 30 s",
    )
    MAILCHIMP_ON_HOLD = Sentence(
        "MAILCHIMP_API_KEY",
        "mailchimp on hold: {detail}",
        "see the worker's log; it is tried again every 30 s",
    )
    LOOP_STALLED = Sentence("worker", "no step for a minute: {detail}", "see the worker's log")
    KEY_IS_STALE = Sentence(
        "worker",
        "the DATA_KEY of a worker does not open the keyring",
        "put the one that does into its list, and restart it (docs/keys.md)",
    )
    WEBHOOK_REFUSED = Sentence(
        "MAILCHIMP_SIGNING_SECRET",
        "Mailchimp's webhook calls are refused: MAILCHIMP_SIGNING_SECRET does not fit them",
        "set it to the secret that was shown when the webhook was registered, or register the webhook anew",
    )
    RECONCILIATION_STOPPED = Sentence(
        "reconcile",
        "reconciliation stopped: {detail}",
        "see that MAILCHIMP_LIST_ID is right, and run `newsletter reconcile --full --yes` if it all is meant",
    )
    RECONCILIATION_OWED = Sentence(
        "reconcile",
        "everybody is still to be compared with Mailchimp, since a backup may have been restored:"
        " nobody is added there before",
        "set MAILCHIMP_API_KEY, if it is not: a worker does it by itself, or `newsletter reconcile`",
        is_hint=True,
    )
    RETENTION_LATE = Sentence(
        "retention",
        "retention has not run for 48 hours: data may be kept past its end",
        "see the worker's log, and run `newsletter retention`",
    )
    RETENTION_INCOMPLETE = Sentence(
        "retention",
        "retention: {detail} past their end could not be ended, and are kept",
        "see the worker's log, and run `newsletter retention`",
    )
    FILE_NOT_CLEANED = Sentence(
        "DATABASE_URL",
        "the database file cannot be cleaned of what was erased: {detail}",
        "see docs/erasing.md; the worker tries again by itself",
    )
    FILE_LATE = Sentence(
        "DATABASE_URL",
        "the database file was not cleaned of what was erased for 48 hours",
        "see docs/erasing.md; the worker tries again by itself",
    )
    LEDGER_WRONG = Sentence("ledger", "ledger wrong: {detail}", "see docs/ledger.md")
    LEDGER_NOT_VERIFIED = Sentence(
        "ledger", "ledger not verified since {detail}", "see docs/ledger.md"
    )


@dataclass(frozen=True)
class Posted:
    """One notice; `owner`: the process that it concerns, "" for all."""

    code: Code
    owner: str
    detail: str | None
    since: datetime

    @property
    def sentence(self) -> Sentence:
        return self.code.value.filled(self.detail)


def post(
    code: Code,
    owner: str = "",
    detail: str | None = None,
    until: datetime | None = None,
    since: datetime | None = None,
) -> bool:
    """Post or renew a notice; True if it is new or has changed.

    `since`: from when it is listed; by default since it was first posted. A repeated call only reads, and updates
    `until` after half of the time to it.
    """
    now = clock.now()
    with reading() as session:
        before = session.get(Notice, (_key(code), owner))
    is_new = before is None or not _is_same(before, detail, since, now)
    if before is not None and not is_new and _lasts(before.until, until, now):
        return False
    with writing() as session:
        post_in(session, code, owner, detail, until, since)
    return is_new


def post_in(
    session: Session,
    code: Code,
    owner: str = "",
    detail: str | None = None,
    until: datetime | None = None,
    since: datetime | None = None,
) -> None:
    """Post a notice within a transaction."""
    now = clock.now()
    session.execute(delete(Notice).where(Notice.until <= now))
    statements.insert_missing(session, Notice, code=_key(code), owner=owner, since=since or now)
    is_it = (Notice.code == _key(code), Notice.owner == owner)
    notice = session.scalars(select(Notice).where(*is_it).with_for_update()).one()
    notice.detail, notice.until = detail, until
    notice.since = since or min(notice.since, now)


def clear(code: Code, owner: str = "") -> None:
    """Delete a notice. Where there is none, this only reads."""
    if find(code, owner) is not None:
        with writing() as session:
            clear_in(session, code, owner)


def clear_in(session: Session, code: Code, owner: str = "") -> None:
    """Delete a notice within a transaction."""
    session.execute(delete(Notice).where(Notice.code == _key(code), Notice.owner == owner))


def find(code: Code, owner: str = "") -> Posted | None:
    """A notice that has not ended; its `since` may be in the future."""
    with reading() as session:
        row = session.get(Notice, (_key(code), owner))
    return None if row is None or _is_over(row, clock.now()) else _posted(row)


def current(*codes: Code) -> list[Posted]:
    """All notices that are listed now, or those of some codes; the oldest first."""
    # Not all rows: a later release may have posted codes that this one does not know.
    keys = [_key(code) for code in codes or Code]
    now = clock.now()
    query = select(Notice).where(Notice.code.in_(keys), Notice.since <= now)
    with reading() as session:
        rows = session.scalars(query.order_by(Notice.since, Notice.code, Notice.owner)).all()
    return [_posted(row) for row in rows if not _is_over(row, now)]


def _posted(row: Notice) -> Posted:
    return Posted(Code[row.code.upper()], row.owner, row.detail, row.since)


def _is_over(notice: Notice, now: datetime) -> bool:
    return notice.until is not None and notice.until <= now


def _key(code: Code) -> str:
    return code.name.lower()


def _is_same(notice: Notice, detail: str | None, since: datetime | None, now: datetime) -> bool:
    is_same_begin = notice.since <= now if since is None else notice.since == since
    return is_same_begin and not _is_over(notice, now) and notice.detail == detail


def _lasts(until: datetime | None, wanted: datetime | None, now: datetime) -> bool:
    if until is None or wanted is None:
        return until is wanted
    return until - now >= (wanted - now) / 2
