"""Everybody, as one file: to take along to another service, or to look at in a spreadsheet.

JSON lines are what `newsletter import` reads; the first one says what the file is. Evidence of a consent that was given
here is its times and the text agreed to; of one that was taken over, what was stated then. Blocks that are kept as a
digest alone have no address, and cannot be taken along: they are counted.
"""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.domain.lifecycle import Event
from newsletter.ledger import log
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Subscription, Wording
from newsletter.subscriptions import takeover
from newsletter.subscriptions.importing.exported import FORMAT
from newsletter.subscriptions.person import address_of

PAGE = 500
_COLUMNS = (
    "email",
    "status",
    "reason",
    "language",
    "hold",
    "requested_at",
    "confirmed_at",
    "left_at",
    "source",
    "note",
    "wording",
    "reference",
)
_FORMULA = tuple("=+-@\t\r")

Kind = Literal["json", "csv"]


@dataclass
class Exported:
    """How many people were written, and how many could not be, since only their digest is kept."""

    people: int = 0
    without_address: int = 0
    statuses: Counter[str] = field(default_factory=Counter)


def write(
    file: BinaryIO, kind: Kind, *, actor: str, watch: Callable[[Exported], None] = lambda _: None
) -> Exported:
    """Write everybody to a file, and record in the ledger that it was done."""
    with writing() as session:
        log.append(
            session,
            ref=secrets.token_hex(16),
            event=Event.VIEWED,
            at=clock.now(),
            detail="everybody",
            actor=actor,
        )
    done = Exported()
    text = io.TextIOWrapper(file, "utf-8-sig" if kind == "csv" else "utf-8", newline="")
    writer = csv.DictWriter(text, _COLUMNS) if kind == "csv" else None
    if writer is not None:
        writer.writeheader()
    else:
        text.write(_line({"format": FORMAT, "made_at": rfc3339(clock.now())}))
    for page in _pages(done):
        for person in page:
            writer.writerow(_flat(person)) if writer else text.write(_line(person))
        watch(done)
    text.flush()
    text.detach()
    return done


def _line(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False) + "\n"


def _flat(person: Mapping[str, Any]) -> dict[str, Any]:
    """One row of a spreadsheet, in which no cell is a formula."""
    evidence = person["evidence"] or {}
    stated = {
        name: evidence.get(name) for name in ("requested_at", "confirmed_at", "source", "note")
    }
    row = {**person, **stated, "wording": evidence.get("wording")}
    return {name: _defused(row[name]) for name in _COLUMNS}


def _defused(value: object) -> object:
    """A text that a spreadsheet would take for a formula, with an apostrophe before it (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _pages(done: Exported) -> Iterator[list[dict[str, Any]]]:
    after = ""
    while True:
        query = select(Subscription).where(Subscription.ref > after)
        with reading() as session:
            rows = session.scalars(query.order_by(Subscription.ref).limit(PAGE)).all()
            if not rows:
                return
            people = list(_people(session, rows, done))
        after = rows[-1].ref
        yield people


def _people(
    session: Session, rows: Sequence[Subscription], done: Exported
) -> Iterator[dict[str, Any]]:
    times = _times(session, rows)
    texts = {
        text.hash: text
        for text in session.scalars(
            select(Wording).where(Wording.hash.in_({row.wording for row in rows if row.wording}))
        )
    }
    for row in rows:
        address = address_of(row)
        if address is None:
            done.without_address += 1
            continue
        done.people += 1
        done.statuses.update([str(row.status)])
        yield {
            "email": address.text,
            "status": str(row.status),
            "reason": str(row.reason) if row.reason else None,
            "language": row.locale,
            "hold": row.hold,
            "left_at": rfc3339(row.left_at) if row.left_at else None,
            "evidence": _evidence(row, times, texts.get(row.wording or "")),
            "reference": row.ref,
        }


def _evidence(
    row: Subscription, times: Mapping[tuple[str, Event, int | None], datetime], text: Wording | None
) -> dict[str, Any] | None:
    """What shows the consent that was last given."""
    if row.confirmed_round is None:
        return None
    if takeover.is_present(row):
        return takeover.evidence_to_export(row)
    asked = times.get((row.ref, Event.SIGNUP, row.confirmed_round))
    confirmed = times.get((row.ref, Event.CONFIRMED, row.confirmed_round))
    return {
        "origin": "double_opt_in",
        "service": config.current().public_url,
        "reference": row.ref,
        "requested_at": rfc3339(asked) if asked else None,
        "confirmed_at": rfc3339(confirmed) if confirmed else None,
        "source": None,
        "note": None,
        "wording": text.text if text else None,
        "wording_language": text.language if text else None,
    }


def _times(
    session: Session, rows: Sequence[Subscription]
) -> dict[tuple[str, Event, int | None], datetime]:
    """When each person asked for the newsletter and confirmed, by round: the first time of each."""
    query = select(LedgerRow.ref, LedgerRow.event, LedgerRow.round, LedgerRow.at).where(
        LedgerRow.ref.in_([row.ref for row in rows]),
        LedgerRow.event.in_((Event.SIGNUP, Event.CONFIRMED)),
    )
    newest_first = session.execute(query.order_by(LedgerRow.id.desc()))
    return {(ref, event, round_): at for ref, event, round_, at in newest_first}
