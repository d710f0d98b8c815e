"""Checkpoints reveal a ledger that was truncated, or rewritten with all of its seals."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from newsletter.ledger import checkpoints, comparison
from newsletter.ledger.checkpoints import NAME
from newsletter.ledger.sealing import Sealing
from newsletter.ledger.verifying import Verification
from newsletter.storage.keys import keyring, signing
from newsletter.storage.models import LedgerRow, Seal
from tests.attacker import attacking, rewrite
from tests.conftest import Drain, Join, on_sqlite
from tests.people import ADA, GRACE, HEDY, ask_staff, sign_up

MINUTE = timedelta(minutes=1)


@pytest.fixture
def environ(environ: dict[str, Any], folder: Path) -> dict[str, Any]:
    """With checkpoints."""
    return {**environ, "LEDGER_CHECKPOINTS": str(folder)}


@pytest.fixture(autouse=True)
def lived(client: FlaskClient, join: Join, drain: Drain, clock: time_machine.Traveller) -> None:
    """People came and went over a few checkpoints."""
    join(ADA)
    clock.shift(MINUTE)
    sign_up(client, GRACE)
    drain()
    clock.shift(MINUTE)
    join(HEDY)
    ask_staff(client, "erasures", ADA)
    drain()


def said(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


def complaint(app: Flask, folder: Path) -> str | None:
    """What `newsletter ledger verify --checkpoints` finds in a ledger that is consistent in itself."""
    with app.app_context():
        walk = Verification()
        while walk.step():
            pass
        assert walk.fault is None
        return comparison.first_fault(folder)


def cut(app: Flask, after: int) -> None:
    """Cut off the tail."""
    with attacking(app) as connection:
        row_id = connection.scalar(select(Seal.row_id).where(Seal.position == after))
        connection.execute(delete(Seal).where(Seal.position > after))
        connection.execute(delete(LedgerRow).where(LedgerRow.id > row_id))


def test_an_unchanged_ledger_fits_its_checkpoints(app: Flask, folder: Path) -> None:
    assert len(said(folder)) == 4
    assert complaint(app, folder) is None


@pytest.mark.requires("R39")
@pytest.mark.parametrize("less", [1, 3])
def test_a_tail_that_was_cut_off_is_found(app: Flask, folder: Path, less: int) -> None:
    last = said(folder)[-1]["position"]
    cut(app, last - less)

    assert str(complaint(app, folder)).startswith(
        f"Position {last - less} is the last, but the checkpoint of "
    )


@pytest.mark.requires("R39")
@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_ledger_rewritten_with_all_of_its_seals_is_found(
    app: Flask, folder: Path, number: int
) -> None:
    named = said(folder)[number]
    rewrite(app, 1 if number == 0 else said(folder)[number - 1]["position"] + 1)

    assert str(complaint(app, folder)).startswith(
        f"Position {named['position']}, row {named['row_id']}: The seal differs from the one"
    )


def test_a_tail_that_was_cut_off_and_grew_again_is_found(
    app: Flask, client: FlaskClient, folder: Path
) -> None:
    cut(app, 3)
    for number in range(12):
        sign_up(client, f"filler-{number}@example.org")
    with app.app_context():
        while Sealing().step():
            pass

    assert "rewritten" in str(complaint(app, folder))


@pytest.mark.requires("R39")
@on_sqlite
def test_a_changed_line_is_found(app: Flask, folder: Path) -> None:
    file = folder / NAME
    file.write_text(file.read_text().replace('"position":2', '"position":3', 1))

    assert str(complaint(app, folder)).startswith(f"{NAME}: The line of position")


def sign_all(folder: Path, *keys: Ed25519PrivateKey) -> None:
    """Sign each line by a key of its own."""
    before, signed = None, b""
    for document, key in zip(said(folder), keys, strict=True):
        line = signing.canonical(signing.sign({**document, "before": before}, key))
        before, signed = checkpoints.digest_of(line), signed + line + b"\n"
    (folder / NAME).write_bytes(signed)


@on_sqlite
def test_a_last_line_that_is_signed_by_another_key_is_not_trusted(app: Flask, folder: Path) -> None:
    sign_all(folder, *[Ed25519PrivateKey.generate()] * 4)

    assert complaint(app, folder) == f"{NAME}: The last line is signed by a key that is not ours."


@on_sqlite
def test_a_line_signed_by_an_earlier_key_is_trusted_where_a_later_line_names_it(
    app: Flask, folder: Path
) -> None:
    with app.app_context():
        ours = keyring.current().signing_key
    sign_all(folder, *[Ed25519PrivateKey.generate()] * 3, ours)

    assert complaint(app, folder) is None


@on_sqlite
def test_an_empty_folder_proves_nothing(app: Flask, folder: Path) -> None:
    (folder / NAME).unlink()

    assert complaint(app, folder) == "There is no checkpoint to compare the ledger with."


@on_sqlite
def test_lines_are_compared_in_batches(
    app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "BATCH", 2)
    whole = complaint(app, folder)
    rewrite(app, 1)

    assert whole is None
    assert str(complaint(app, folder)).startswith("Position 2, row 2")


@on_sqlite
def test_lines_that_a_restored_backup_knew_are_compared_too(app: Flask, folder: Path) -> None:
    first, *_, last = said(folder)
    with app.app_context():
        newest, _, second, _ = checkpoints.backwards(folder)
        restored = {"restored": {"position": second.position, "after": second.digest}}
        head = {name: last[name] for name in ("position", "row_id", "seal", "at")}
        assert checkpoints.append(folder, {**head, "erased": [], **restored}, after=newest)
    whole = complaint(app, folder)
    rewrite(app, 1)

    assert whole is None
    assert str(complaint(app, folder)).startswith(f"Position {first['position']}, row ")
