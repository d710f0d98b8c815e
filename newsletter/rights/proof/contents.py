"""Checks the contents of a proof against its ledger rows: each event, each e-mail, the status."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from newsletter.domain.lifecycle import Event, Status
from newsletter.ledger import consent_state
from newsletter.ledger.consent_state import actor_of, is_step, state_of
from newsletter.rights.proof.schema import Letter, ProvenEvent, Record, Round, Row
from newsletter.storage.models import LetterKind


def failures_in(record: Record) -> Iterator[str]:
    """One sentence for each part that does not agree with the rows."""
    yield from _wrong_texts(record)
    yield from _wrong_rounds(record)
    yield from _wrong_status(record)


def _wrong_texts(record: Record) -> Iterator[str]:
    for text in record.wordings:
        if hashlib.sha256(f"{text.language}\n{text.text}".encode()).hexdigest() != text.hash:
            yield f"The consent text {text.hash} is not the one that this hash names."


def _wrong_rounds(record: Record) -> Iterator[str]:
    """Every row is in the rounds, once and in its place."""
    events = [entry.row for entry in record.ledger]
    rows = {row.id: row for row in events}
    by_round = consent_state.by_round(events)
    listed = Counter[int]()
    for round_ in record.rounds:
        its_rows = by_round.get(round_.round, [])
        listed.update(event.row for event in (*round_.steps, *round_.after))
        yield from _wrong_events(round_, its_rows, rows)
        yield from _wrong_text_of(round_, its_rows, record)
        yield from _wrong_letters(round_, events)
        if round_.state != consent_state.last_state(its_rows):
            yield f"The state of round {round_.round} does not agree with its rows."
    for row in events:
        if not listed[row.id]:
            yield f"Ledger row {row.id} is not in any round."
        elif listed[row.id] > 1:
            yield f"Ledger row {row.id} occurs more than once."


def _wrong_events(round_: Round, its_rows: list[Row], rows: dict[int, Row]) -> Iterator[str]:
    steps = [(event, True) for event in round_.steps]
    for event, is_listed_as_step in [*steps, *((event, False) for event in round_.after)]:
        row = rows.get(event.row)
        if row is None or _compared(event) != _expected(row):
            yield f"The event of ledger row {event.row} does not agree with the row."
        elif row not in its_rows:
            yield f"Ledger row {event.row} belongs to another round."
        elif is_step(row) is not is_listed_as_step:
            yield f"Ledger row {event.row} is not in its place in round {round_.round}."


def _compared(event: ProvenEvent) -> dict[str, object]:
    return event.model_dump(include=set(ProvenEvent.model_fields))


def _expected(row: Row) -> dict[str, object]:
    return {
        "event": row.event,
        "at": row.at,
        "row": row.id,
        "state": state_of(row),
        "entity_id": actor_of(row),
        "reason": row.reason,
        "detail": row.detail,
        "wording": row.wording,
        "template": row.template,
    }


def _wrong_text_of(round_: Round, its_rows: list[Row], record: Record) -> Iterator[str]:
    agreed = consent_state.agreed(its_rows)
    # After an erasure, the consent text may be deleted, too.
    is_there = record.status == Status.UNKNOWN or agreed in {text.hash for text in record.wordings}
    if agreed is not None and (agreed != round_.wording or not is_there):
        yield f"The consent text of round {round_.round} is missing."
    elif round_.wording != consent_state.agreed_or_shown(its_rows):
        yield f"The text shown in round {round_.round} is not the one that its rows name."
    if round_.presumed is not any(map(consent_state.is_presumed, its_rows)):
        yield f"What round {round_.round} says to be presumed does not agree with its rows."


def _wrong_letters(round_: Round, events: list[Row]) -> Iterator[str]:
    """Each sent or undeliverable e-mail has its own row."""
    rows = Counter(
        (row.event, row.at, row.wording, row.template, row.detail)
        for row in events
        if row.round == round_.round
    )
    for letter in round_.letters:
        for event, at in (
            (Event.MAIL_SENT, letter.sent_at),
            (Event.MAIL_FAILED, letter.failed_at),
        ):
            template = letter.template if event is Event.MAIL_SENT else None
            fact = (str(event), at or "", letter.wording, template, _detail(letter))
            if at is not None and not rows[fact]:
                yield f"No ledger row of round {round_.round} agrees with the e-mail of {at}."
            rows[fact] -= 1


def _detail(letter: Letter) -> str | None:
    """The detail of an e-mail's row: its kind, unless it is a confirmation, and why it was undeliverable."""
    kind = None if letter.kind == LetterKind.CONFIRMATION else letter.kind
    error = letter.error if letter.failed_at is not None else None
    return ": ".join(filter(None, (kind, error)))[:64] or None


def _wrong_status(record: Record) -> Iterator[str]:
    events = [entry.row for entry in record.ledger]
    derived = consent_state.status_after(events)
    since = next((row.at for row in events if row.id == derived.since), None)
    if record.status != derived.status or record.reason != derived.reason:
        yield "The status does not agree with the rows."
    if record.since != since:
        yield "The time of the status does not agree with the rows."
