"""Bringing every encrypted value under the newest data key, while web and workers go on.

A walk takes a few values at a time, each batch in a short transaction of its own. It never waits for a row that
somebody holds, and never overwrites a value that changed meanwhile: what it leaves out, another walk finds.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Update,
    bindparam,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from newsletter.domain.errors import Unreadable
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring
from newsletter.storage.models import Erasure, Letter, Subscription

#: So small that on SQLite, which has one writer, a sign-up waits for it a few milliseconds.
BATCH = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encrypted:
    """A column whose values the data key encrypts, each bound to its row by the column `key`."""

    key: InstrumentedAttribute[str]
    column: InstrumentedAttribute[Any]

    @property
    def name(self) -> str:
        """What its values are bound to besides the row."""
        return f"{self.column.class_.__tablename__}.{self.column.key}"

    def is_by(self, key_id: int) -> ColumnElement[bool]:
        """Values that a data key encrypted."""
        return self._begins == keyring.prefix(key_id)

    def is_older(self, key_id: int) -> ColumnElement[bool]:
        """Values that another data key encrypted."""
        return self._begins != keyring.prefix(key_id)

    @property
    def changing(self) -> Update:
        """Put a new value in the place of the old, unless that is no longer there."""
        same = (self.key == bindparam("of_row"), self.column == bindparam("from_old"))
        changed: dict[str, Any] = {self.column.key: bindparam("to_new")}
        return update(self.column.class_).where(*same).values(changed)

    @property
    def _begins(self) -> ColumnElement[bytes]:
        return func.substr(self.column, 1, len(keyring.prefix(0)), type_=LargeBinary())


#: All there are: a test looks for others among the models.
ENCRYPTED = (
    Encrypted(Subscription.ref, Subscription.address),
    Encrypted(Letter.id, Letter.evidence),
    Encrypted(Erasure.id, Erasure.address),
)


def left(newest: int) -> int:
    """How many values another data key than the newest encrypted."""
    with reading() as session:
        counts = [
            session.scalar(select(func.count()).where(encrypted.is_older(newest)))
            for encrypted in ENCRYPTED
        ]
    return sum(count or 0 for count in counts)


def uses(session: Session, key_id: int) -> bool:
    """Tell whether any value needs a data key."""
    query = (select(exists().where(encrypted.is_by(key_id))) for encrypted in ENCRYPTED)
    return any(session.scalar(each) for each in query)


class Walk:
    """One walk over all that is encrypted: `step()` until it says that there is no more."""

    def __init__(self) -> None:
        self.seen = 0  #: values that were looked at
        self.unreadable = 0  #: of them, those that were damaged: they stay as they are
        self._waiting = deque(ENCRYPTED)
        self._after = ""

    def step(self) -> bool:
        """Take one batch; True if there may be more."""
        if not self._waiting:
            return False
        encrypted, newest = self._waiting[0], max(keyring.current().data)
        is_next = (encrypted.is_older(newest), encrypted.key > self._after)
        query = select(encrypted.key).where(*is_next).order_by(encrypted.key).limit(BATCH)
        with reading() as session:
            keys = session.scalars(query).all()
        if not keys:
            self._waiting.popleft()
            self._after = ""
            return bool(self._waiting)
        self._after = keys[-1]
        self._take(encrypted, newest, keys)
        self.seen += len(keys)
        return True

    def _take(self, encrypted: Encrypted, newest: int, keys: Sequence[str]) -> None:
        query = select(encrypted.key, encrypted.column)
        query = query.where(encrypted.key.in_(keys), encrypted.is_older(newest))
        with writing() as session:
            # Whoever holds a row is not waited for: two who wait for each other would cost one of them its work.
            free = query.with_for_update(skip_locked=True, key_share=True)
            found = session.execute(free).all()
            changes = [
                {"of_row": ref, "from_old": old, "to_new": new}
                for ref, old in found
                if (new := self._anew(old, ref, encrypted.name)) is not None
            ]
            if changes:
                session.connection().execute(encrypted.changing, changes)

    def _anew(self, sealed: bytes, ref: str, name: str) -> bytes | None:
        """A value, encrypted by the newest key; None where it cannot be read."""
        ring = keyring.current()
        try:
            plain = ring.decrypt(sealed, ref=ref, column=name)
        except Unreadable:
            log.warning("a value of %s cannot be read: ref=%s", name, ref)
            self.unreadable += 1
            return None
        return ring.encrypt(plain, ref=ref, column=name)
