"""A seal covers all columns of a row, its position, its time and the seal before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.domain.lifecycle import Event, Reason
from newsletter.ledger import seals
from newsletter.storage.models import LedgerRow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHOLE = {
    "id": 7,
    "at": NOON,
    "ref": "0" * 32,
    "round": 2,
    "event": Event.BLOCKED,
    "reason": Reason.STAFF,
    "detail": "a code",
    "wording": "w" * 64,
    "template": "t" * 64,
    "actor": "dpo",
    "commitment": b"c" * 32,
}
CHANGES = {
    "id": 8,
    "at": NOON + timedelta(microseconds=1),
    "ref": "1" * 32,
    "round": 3,
    "event": Event.LIFTED,
    "reason": Reason.NOT_ME,
    "detail": "another",
    "wording": "x" * 64,
    "template": "u" * 64,
    "actor": "cli",
    "commitment": b"d" * 32,
}


def seal_of(**changes: object) -> bytes:
    row = LedgerRow(**{**WHOLE, **changes})
    return seals.seal(seals.START, 1, NOON, seals.row_as_json(row))


def test_a_seal_covers_every_column() -> None:
    told = seals.row_as_json(LedgerRow(**WHOLE))

    assert told.keys() == {column.key for column in LedgerRow.__table__.columns}
    assert CHANGES.keys() == told.keys()


@pytest.mark.parametrize("column", CHANGES)
def test_another_value_of_a_column_makes_another_seal(column: str) -> None:
    assert seal_of(**{column: CHANGES[column]}) != seal_of()


@pytest.mark.parametrize(
    "column", ["round", "reason", "detail", "wording", "template", "actor", "commitment"]
)
def test_an_empty_column_makes_another_seal(column: str) -> None:
    assert seal_of(**{column: None}) != seal_of()


@pytest.mark.parametrize("changes", [{}, *({column: value} for column, value in CHANGES.items())])
@pytest.mark.parametrize("text", ["a code", "", None, 'ä "\\\n\x00\u2028 €'])
def test_seal_row_computes_the_same_seal(changes: dict[str, object], text: str | None) -> None:
    emptied = {"detail": text, "actor": text, "wording": text}
    row = LedgerRow(**{**WHOLE, **emptied, **changes})

    assert seals.seal_row(seals.START, 9, NOON, row) == seals.seal(
        seals.START, 9, NOON, seals.row_as_json(row)
    )


@pytest.mark.parametrize("column", ["round", "reason", "commitment"])
def test_seal_row_computes_the_same_seal_for_null(column: str) -> None:
    row = LedgerRow(**{**WHOLE, column: None})

    assert seals.seal_row(seals.START, 1, NOON, row) == seal_of(**{column: None})


@pytest.mark.parametrize("column", ["detail", "wording", "actor"])
def test_an_empty_text_and_null_have_different_seals(column: str) -> None:
    assert seal_of(**{column: ""}) != seal_of(**{column: None})
    assert seal_of(commitment=b"") != seal_of(commitment=None)


def test_a_seal_covers_the_seal_before_the_position_and_the_time() -> None:
    row = seals.row_as_json(LedgerRow(**WHOLE))
    first = seals.seal(seals.START, 1, NOON, row)

    assert seals.seal(first, 1, NOON, row) != first
    assert seals.seal(seals.START, 2, NOON, row) != first
    assert seals.seal(seals.START, 1, NOON + timedelta(seconds=1), row) != first


def test_the_algorithm_of_seals_has_not_changed() -> None:
    assert seal_of().hex() == ("e5f8c80eb988defe4cce109c402dd9aa7cc301ecc52dc975e7d82ae22be2998f")
