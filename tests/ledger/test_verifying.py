"""Every change that an attacker makes to rows or seals is found, and the first wrong row is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, delete, insert, select, text, update

from newsletter.domain.lifecycle import Event, Reason
from newsletter.ledger import verifying
from newsletter.ledger.sealing import Sealing
from newsletter.ledger.verifying import Verification
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Seal
from tests.attacker import attacking
from tests.conftest import both_databases, on_sqlite

pytestmark = both_databases

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
IDS = [10, 20, 30, 40, 50, 60]
FORGED = {"at": NOON, "ref": "f" * 32, "event": Event.CONFIRMED}


def row(id_: int) -> dict[str, object]:
    return {
        "id": id_,
        "at": NOON + timedelta(minutes=id_),
        "ref": f"{id_:032}",
        "round": 1,
        "event": Event.BLOCKED,
        "reason": Reason.STAFF,
        "detail": "a code",
        "wording": "w" * 64,
        "template": "t" * 64,
        "actor": "dpo",
        "commitment": b"c" * 32,
    }


@pytest.fixture
def sealed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An application with six sealed rows, and room between their numbers; they are read two at a time."""
    monkeypatch.setattr(verifying, "PAGE", 2)
    with app.app_context():
        with writing() as session:
            session.connection().execute(insert(LedgerRow), [row(id_) for id_ in IDS])
        sealing = Sealing()
        while sealing.step():
            pass
    return app


def walked(app: Flask) -> Verification:
    with app.app_context():
        walk = Verification()
        while walk.step():
            pass
    return walk


def named(app: Flask) -> tuple[int, int | None]:
    """Position and row of the fault."""
    walk = walked(app)
    assert walk.fault is not None
    return walk.fault.position, walk.fault.row_id


@pytest.mark.parametrize("page", [1, 2, 3, 6, 7])
def test_an_unchanged_ledger_has_no_fault(
    sealed: Flask, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "PAGE", page)
    walk = walked(sealed)

    assert (walk.fault, walk.checked, walk.unsealed) == (None, 6, 0)


def test_an_empty_ledger_has_no_fault(app: Flask) -> None:
    with app.app_context():
        begun = Verification()

    for walk in (begun, walked(app)):
        assert (walk.fault, walk.checked, walk.unsealed) == (None, 0, 0)


def test_rows_after_the_last_seal_are_counted_and_are_no_fault(sealed: Flask) -> None:
    with attacking(sealed) as connection:
        connection.execute(insert(LedgerRow), [row(70), row(80)])
    walk = walked(sealed)

    assert (walk.fault, walk.checked, walk.unsealed) == (None, 6, 2)


CHANGES = [
    ("at", NOON + timedelta(minutes=30) + MICROSECOND),
    ("ref", "0" * 32),
    ("round", 2),
    ("round", None),
    ("event", Event.LIFTED),
    ("reason", Reason.NOT_ME),
    ("reason", None),
    ("detail", "another"),
    ("detail", None),
    ("detail", ""),
    ("wording", "x" * 64),
    ("wording", None),
    ("template", "u" * 64),
    ("template", None),
    ("actor", "cli"),
    ("actor", None),
    ("commitment", b"d" * 32),
    ("commitment", None),
    ("commitment", b""),
    ("id", 35),
    ("id", 5),
    ("id", 99),
]


@pytest.mark.requires("R36")
@pytest.mark.parametrize(("column", "value"), CHANGES)
def test_a_changed_column_of_a_row_is_found(sealed: Flask, column: str, value: object) -> None:
    with attacking(sealed) as connection:
        connection.execute(update(LedgerRow).where(LedgerRow.id == 30).values({column: value}))

    assert named(sealed) == ((1, 5) if value == 5 else (3, 30))


def test_every_column_of_a_row_is_among_the_changes() -> None:
    assert {column for column, _ in CHANGES} == {one.key for one in LedgerRow.__table__.columns}


SEAL_CHANGES: list[tuple[str, object, tuple[int, int | None]]] = [
    ("position", 99, (3, None)),
    ("position", 0, (0, 30)),
    ("position", -1, (-1, 30)),
    ("row_id", 35, (3, 30)),
    ("row_id", 5, (3, 5)),
    ("row_id", 99, (3, 30)),
    ("seal", b"s" * 32, (3, 30)),
    ("seal", b"", (3, 30)),
    ("sealed_at", None, (3, 30)),
]


@pytest.mark.parametrize(("column", "value", "wrong"), SEAL_CHANGES)
def test_a_changed_column_of_a_seal_is_found(
    sealed: Flask, column: str, value: object, wrong: tuple[int, int | None]
) -> None:
    with attacking(sealed) as connection:
        if column == "sealed_at":
            at = connection.scalar(select(Seal.sealed_at).where(Seal.position == 3))
            assert at is not None
            value = at + MICROSECOND
        connection.execute(update(Seal).where(Seal.position == 3).values({column: value}))

    assert named(sealed) == wrong


def test_every_column_of_a_seal_is_among_the_changes() -> None:
    changed = {column for column, _, _ in SEAL_CHANGES}

    assert changed == {one.key for one in Seal.__table__.columns}


@pytest.mark.requires("R36")
@pytest.mark.parametrize("number", range(6))
def test_a_deleted_row_is_found(sealed: Flask, number: int) -> None:
    with attacking(sealed) as connection:
        connection.execute(delete(LedgerRow).where(LedgerRow.id == IDS[number]))

    assert named(sealed) == (number + 1, IDS[number])


@pytest.mark.parametrize("number", range(5))
def test_a_deleted_seal_is_found(sealed: Flask, number: int) -> None:
    with attacking(sealed) as connection:
        connection.execute(delete(Seal).where(Seal.position == number + 1))

    assert named(sealed)[0] == number + 1


@pytest.mark.parametrize("number", range(5))
def test_a_row_deleted_with_its_seal_is_found(sealed: Flask, number: int) -> None:
    with attacking(sealed) as connection:
        connection.execute(delete(Seal).where(Seal.position == number + 1))
        connection.execute(delete(LedgerRow).where(LedgerRow.id == IDS[number]))

    assert named(sealed) == (number + 1, None)


def test_a_deletion_that_closes_the_gap_is_found(sealed: Flask) -> None:
    with attacking(sealed) as connection:
        connection.execute(delete(Seal).where(Seal.position == 3))
        connection.execute(delete(LedgerRow).where(LedgerRow.id == 30))
        for position in (4, 5, 6):
            moved = update(Seal).where(Seal.position == position)
            connection.execute(moved.values(position=position - 1))

    assert named(sealed) == (3, 40)


@pytest.mark.parametrize(("id_", "position"), [(-7, 1), (0, 1), (5, 1), (25, 3), (59, 6)])
def test_an_inserted_row_is_found_and_never_sealed(sealed: Flask, id_: int, position: int) -> None:
    with attacking(sealed) as connection:
        connection.execute(insert(LedgerRow).values(id=id_, **FORGED))
    with sealed.app_context():
        assert not Sealing().step()

    assert named(sealed) == (position, id_)


@pytest.mark.requires("R36")
def test_a_row_inserted_with_a_seal_is_found(sealed: Flask) -> None:
    with attacking(sealed) as connection:
        connection.execute(insert(LedgerRow).values(id=25, **FORGED))
        for position in (6, 5, 4, 3):
            moved = update(Seal).where(Seal.position == position)
            connection.execute(moved.values(position=position + 1))
        forged = insert(Seal).values(position=3, row_id=25, seal=b"s" * 32, sealed_at=NOON)
        connection.execute(forged)

    assert named(sealed) == (3, 25)


def swap(connection: Connection, model: type[LedgerRow] | type[Seal], column: str) -> None:
    """Exchange a column's values in the third and the fifth row, as it may be unique."""
    key, first, second = (LedgerRow.id, 30, 50) if model is LedgerRow else (Seal.position, 3, 5)
    values = [
        connection.scalar(select(getattr(model, column)).where(key == at)) for at in (first, second)
    ]
    aside = b"aside" if isinstance(values[0], bytes) else 9999
    is_first, is_second = key == first, key == second
    if column == key.key:
        is_first = key == 9999
    connection.execute(update(model).where(key == first).values({column: aside}))
    connection.execute(update(model).where(is_second).values({column: values[0]}))
    connection.execute(update(model).where(is_first).values({column: values[1]}))


@pytest.mark.requires("R36")
@pytest.mark.parametrize(
    ("model", "column"),
    [(LedgerRow, "id"), (Seal, "position"), (Seal, "row_id"), (Seal, "seal")],
)
def test_swapped_rows_or_seals_are_found(
    sealed: Flask, model: type[LedgerRow] | type[Seal], column: str
) -> None:
    with attacking(sealed) as connection:
        swap(connection, model, column)

    assert named(sealed)[0] == 3


@on_sqlite
@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("UPDATE seal SET position = 99 WHERE position = 3", "Position 3: the seal is missing."),
        (
            "UPDATE seal SET position = 0 WHERE position = 3",
            "Position 0, row 30: a seal stands before the first.",
        ),
        (
            "DELETE FROM ledger_row WHERE id = 30",
            "Position 3, row 30: the row is missing, or is not after the last one.",
        ),
        (
            "UPDATE ledger_row SET actor = 'cli' WHERE id = 30",
            "Position 3, row 30: the row, or its seal, is not what was sealed.",
        ),
        (
            "UPDATE ledger_row SET at = 'noon' WHERE id = 30",
            "Position 3: the row or its seal has a value that cannot be read.",
        ),
        (
            "UPDATE ledger_row SET id = 25 WHERE id = 30",
            "Position 3, row 25: the row has no seal, though a later one has:"
            " it was inserted, or its seal was deleted.",
        ),
    ],
)
def test_a_fault_is_one_sentence(sealed: Flask, damage: str, sentence: str) -> None:
    with attacking(sealed) as connection:
        connection.execute(text(damage))

    assert str(walked(sealed).fault) == sentence


@on_sqlite
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE ledger_row SET event = 'unheard-of' WHERE id = 40",
        "UPDATE ledger_row SET at = 'noon' WHERE id = 40",
        "UPDATE ledger_row SET ref = x'00' WHERE id = 40",
        "UPDATE ledger_row SET commitment = 'text' WHERE id = 40",
        "UPDATE ledger_row SET detail = cast(x'eda080' AS TEXT) WHERE id = 40",
        "UPDATE seal SET sealed_at = 'noon' WHERE position = 4",
    ],
)
def test_an_unreadable_value_is_found(sealed: Flask, damage: str) -> None:
    with attacking(sealed) as connection:
        connection.execute(text(damage))

    assert named(sealed)[0] == 4


def test_a_cut_off_tail_cannot_be_found_without_checkpoints(sealed: Flask) -> None:
    with attacking(sealed) as connection:
        connection.execute(delete(Seal).where(Seal.position > 4))
        connection.execute(delete(LedgerRow).where(LedgerRow.id > 40))

    assert walked(sealed).fault is None


def test_a_tail_that_is_cut_off_during_a_verification_is_found(sealed: Flask) -> None:
    with sealed.app_context():
        walk = Verification()
    with attacking(sealed) as connection:
        connection.execute(delete(Seal).where(Seal.position > 4))
        connection.execute(delete(LedgerRow).where(LedgerRow.id > 40))
    with sealed.app_context():
        while walk.step():
            pass

    assert str(walk.fault) == "Position 5: the seal is missing."


def test_rows_that_are_sealed_during_a_verification_do_not_disturb_it(sealed: Flask) -> None:
    with sealed.app_context():
        walk = Verification()
        with writing() as session:
            session.connection().execute(insert(LedgerRow), [row(70)])
        Sealing().step()
        while walk.step():
            pass
        with reading() as session:
            assert session.scalar(select(Seal.row_id).where(Seal.position == 7)) == 70

    assert (walk.fault, walk.checked, walk.unsealed) == (None, 6, 1)
