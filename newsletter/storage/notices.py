"""What a process wants staff to know, in one table: /ready and `newsletter check` list it.

Whoever notices something posts it, and clears it when it is over. A process that may be killed gives `until`, and
renews it while it holds. Never a secret or an address.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.storage import statements
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Notice


@dataclass(frozen=True)
class Sentence:
    """What it is about (a setting or a subject), what is wrong, and what to do; `{detail}` stands for the detail."""

    about: str
    wrong: str
    remedy: str
    is_hint: bool = False  #: worth knowing, but no mistake

    def filled(self, detail: str | None) -> Sentence:
        """The sentence with its detail."""
        return replace(self, wrong=self.wrong.replace("{detail}", detail or ""))

    def __str__(self) -> str:
        return f"{self.about}: {self.wrong}"


class Code(Enum):
    """Everything that can be posted; the table keeps the name in lower case (at most 32 characters)."""

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
    CHECKPOINTS_UNFIT = Sentence(
        "LEDGER_CHECKPOINTS", "workers do not start: {detail}", "see docs/ledger.md"
    )
    CHECKPOINTS_UNWRITTEN = Sentence(
        "LEDGER_CHECKPOINTS",
        "checkpoints cannot be written: {detail}",
        "see that the folder is there, has room, and may be written to by the worker",
    )
    LOOP_STALLED = Sentence("worker", "no step for a minute: {detail}", "see the worker's log")


@dataclass(frozen=True)
class Posted:
    """One notice: what, by which process ("" for all of them), since when."""

    code: Code
    owner: str
    detail: str | None
    since: datetime

    @property
    def sentence(self) -> Sentence:
        """What staff read."""
        return self.code.value.filled(self.detail)


def post(
    code: Code, owner: str = "", detail: str | None = None, until: datetime | None = None
) -> bool:
    """Post or renew a notice; True if it is new or says something else. Its `since` stays while it stands.

    Repeating it costs a look: `until` is written anew when half of the time to it has passed.
    """
    now = clock.now()
    with reading() as session:
        before = session.get(Notice, (_key(code), owner))
    is_known = before is not None and _is_current(before, now) and before.detail == detail
    if is_known and before is not None and _lasts(before.until, until, now):
        return False
    with writing() as session:
        post_in(session, code, owner, detail, until)
    return not is_known


def post_in(
    session: Session,
    code: Code,
    owner: str = "",
    detail: str | None = None,
    until: datetime | None = None,
) -> None:
    """Post a notice as a part of a transaction."""
    now = clock.now()
    session.execute(delete(Notice).where(Notice.until <= now))
    statements.insert_missing(session, Notice, code=_key(code), owner=owner, since=now)
    is_it = (Notice.code == _key(code), Notice.owner == owner)
    notice = session.scalars(select(Notice).where(*is_it).with_for_update()).one()
    notice.detail, notice.until = detail, until


def clear(code: Code, owner: str = "") -> None:
    """Take a notice back; nothing if there is none, which costs a look."""
    with reading() as session:
        is_there = session.get(Notice, (_key(code), owner)) is not None
    if is_there:
        with writing() as session:
            clear_in(session, code, owner)


def clear_in(session: Session, code: Code, owner: str = "") -> None:
    """Take a notice back as a part of a transaction."""
    session.execute(delete(Notice).where(Notice.code == _key(code), Notice.owner == owner))


def find(code: Code, owner: str = "") -> Posted | None:
    """One notice, if it stands."""
    return next(iter(_read(Notice.code == _key(code), Notice.owner == owner)), None)


def current() -> list[Posted]:
    """All that stand, the oldest first."""
    # A later release may have codes that this one does not know.
    return _read(Notice.code.in_([_key(code) for code in Code]))


def _read(*which: ColumnElement[bool]) -> list[Posted]:
    query = select(Notice).where(*which, or_(Notice.until.is_(None), Notice.until > clock.now()))
    with reading() as session:
        rows = session.scalars(query.order_by(Notice.since, Notice.code, Notice.owner)).all()
    return [Posted(Code[row.code.upper()], row.owner, row.detail, row.since) for row in rows]


def _key(code: Code) -> str:
    return code.name.lower()


def _is_current(notice: Notice, now: datetime) -> bool:
    return notice.until is None or notice.until > now


def _lasts(until: datetime | None, wanted: datetime | None, now: datetime) -> bool:
    if until is None or wanted is None:
        return until is wanted
    return until - now >= (wanted - now) / 2
