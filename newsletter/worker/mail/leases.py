"""Leases: only one worker sends a letter. When they end, because it was killed, others take its letters over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, case, select, update
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.consent import ConsentText
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Letter, Subscription
from newsletter.subscriptions import wording
from newsletter.worker.mail import due, hourly_limit


@dataclass(frozen=True, eq=False, repr=False)
class Leased:
    """A letter and its subscription, as they were when it was leased."""

    letter: Letter
    row: Subscription
    agreed: ConsentText  #: the text that it is about
    is_from_our_form: bool
    owner: str
    at: datetime
    is_probe: bool  #: mail is on hold, and this letter tests whether it still has to be

    @property
    def id(self) -> str:
        return self.letter.id

    @property
    def ref(self) -> str:
        return self.row.ref

    @property
    def tries(self) -> int:
        return self.letter.tries

    @property
    def copies(self) -> int:
        """How many were sent before, and may have arrived."""
        return self.letter.copies


def lease(owner: str, most: int) -> list[Leased]:
    """Lease the letters that are due for longest."""
    return _take(due.BY_AGE, owner, clock.now(), most=most)


def lease_probe(owner: str, number: int, now: datetime) -> list[Leased]:
    """Lease one letter, due or not."""
    return _take(due.BY_NUMBER, owner, now, most=1, is_probe=True, number=number)


def _take(
    queries: due.Queries,
    owner: str,
    now: datetime,
    *,
    most: int,
    is_probe: bool = False,
    **also: object,
) -> list[Leased]:
    """Lease the first letters, as far as LETTERS_PER_HOUR allows."""
    values = due.times(now) | also
    with reading() as session:
        if not session.scalar(queries.any_waits, values):
            return []
        has_room = hourly_limit.has_room(session, now)
    if not has_room:
        hourly_limit.complain(now)
        return []
    with writing() as session:
        found = session.execute(queries.oldest, values | {"most": most}).all()
        found = found[: hourly_limit.take(session, now, len(found))]
        _record(session, [letter.number for letter, *_ in found], owner, now)
        return [
            Leased(
                letter=letter,
                row=row,
                agreed=wording.find_any(session, letter.wording),
                is_from_our_form=is_from_our_form,
                owner=owner,
                at=now,
                is_probe=is_probe,
            )
            for letter, row, is_from_our_form in found
        ]


def _record(session: Session, numbers: Sequence[int], owner: str, now: datetime) -> None:
    """Record the leases, and the first copy of each letter."""
    changes = {
        "leased_by": owner,
        "leased_until": now + jobs.LEASE,
        "copies": case((Letter.copies == 0, 1), else_=Letter.copies),
    }
    _update(session, numbers, changes)


def give_back(all_leased: Sequence[Leased]) -> None:
    """End the leases of letters that certainly did not leave."""
    numbers = [leased.letter.number for leased in all_leased]
    first = [leased.letter.number for leased in all_leased if not leased.copies]
    free = {"leased_by": None, "leased_until": None}
    copies = case((Letter.number.in_(first), 0), else_=Letter.copies)
    mine = Letter.leased_by == all_leased[0].owner
    with writing() as session:
        _update(session, numbers, {**free, "copies": copies}, mine)
        for at, count in Counter(leased.at for leased in all_leased).items():
            hourly_limit.give_back(session, at, count)


def _update(
    session: Session,
    numbers: Sequence[int],
    changes: dict[str, object],
    *also: ColumnElement[bool],
) -> None:
    changing = update(Letter).where(Letter.number.in_(numbers), *also).values(changes)
    # A Leased keeps what was read.
    session.execute(changing, execution_options={"synchronize_session": False})


def keep(owner: str, letters: Iterable[str]) -> None:
    """Renew the leases of letters that are being sent."""
    if held := list(letters):
        mine = (Letter.id.in_(held), Letter.leased_by == owner)
        # Those whose outcome is being recorded need no lease, and would be waited for in another order.
        free = select(Letter.number).where(*mine).with_for_update(skip_locked=True)
        with writing() as session:
            until = clock.now() + jobs.LEASE
            renewal = update(Letter).where(Letter.number.in_(free)).values(leased_until=until)
            session.execute(renewal, execution_options={"synchronize_session": False})


def find(session: Session, leased: Leased) -> tuple[Letter, Subscription] | None:
    """The letter, locked, and its subscription, as they are now; None if it is not held. The address is locked."""
    if not held(session, [leased]):
        return None
    found = session.execute(due.LETTERS.where(Letter.number == leased.letter.number)).one()
    return found[0], found[1]


def held(session: Session, all_leased: Sequence[Leased]) -> set[int]:
    """Lock letters: the numbers of those that were not erased, and that no other worker has leased meanwhile."""
    if not all_leased:
        return set()
    numbers = [each.letter.number for each in all_leased]
    return set(session.scalars(_HELD, {"numbers": numbers, "owner": all_leased[0].owner}))


_HELD = (
    select(Letter.number)
    .where(
        Letter.number.in_(bindparam("numbers", expanding=True)),
        Letter.leased_by == bindparam("owner"),
    )
    .order_by(Letter.number)
    .with_for_update()
)
