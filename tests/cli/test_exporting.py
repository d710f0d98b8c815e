"""`newsletter export`: everybody in one file, which another installation takes over."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.storage.database import reading
from newsletter.storage.models import LedgerRow
from sandbox.mailbox import Mailbox
from tests.commands import Run, commands
from tests.conftest import COMPANY, Drain, Join
from tests.people import ADA, GRACE, HEDY, ask_staff, sign_up

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def elsewhere(sqlite_template: Path, environ: dict[str, Any], tmp_path: Path) -> Iterator[Run]:
    """Commands of another installation, with keys of its own and nobody in it."""
    path = tmp_path / "elsewhere.sqlite3"
    shutil.copy(sqlite_template, path)
    with commands({**environ, **COMPANY, "DATABASE_URL": f"sqlite:///{path}"}) as run:
        yield run


@pytest.fixture
def everybody(join: Join, client: FlaskClient, run: Run, tmp_path: Path) -> None:
    """Ada is confirmed, Grace left, Hedy was blocked by staff, restricted, and taken over before."""
    path = tmp_path / "list.csv"
    path.write_text(f"email,confirmed_at,source,note\n{HEDY},2019-05-01,=HYPERLINK(),Form 17\n")
    assert run("import", str(path)).exit_code == 0
    join(ADA, GRACE)
    ask_staff(client, "blocks", GRACE, reason="unsubscribed")
    ask_staff(client, "holds", HEDY, hold=True)


def people_in(path: Path) -> list[dict[str, Any]]:
    head, *lines = map(json.loads, path.read_text().splitlines())
    assert head["format"] == "newsletter-export/1"
    return sorted(
        ({**each, "reference": ""} for each in lines), key=lambda each: str(each["email"])
    )


@pytest.mark.usefixtures("everybody")
def test_everybody_comes_back_the_same_elsewhere(
    run: Run, elsewhere: Run, mailbox: Mailbox, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    letters = len(mailbox.letters)

    assert run("export", str(first), "--plain").exit_code == 0
    result = elsewhere("import", str(first))
    assert (result.exit_code, result.stderr) == (0, "")
    assert elsewhere("export", str(second), "--plain").exit_code == 0

    assert people_in(first) == people_in(second)
    by_email = {each["email"].lower(): each for each in people_in(second)}
    assert by_email[ADA.lower()]["evidence"]["wording"].startswith("Ja, ich möchte")
    assert by_email[GRACE]["evidence"]["confirmed_at"]
    assert by_email[HEDY]["evidence"]["note"] == "Form 17"
    assert by_email[HEDY]["hold"] is True
    assert len(mailbox.letters) == letters


@pytest.mark.usefixtures("everybody")
def test_a_consent_given_elsewhere_is_proved_as_what_was_taken_over(
    run: Run, elsewhere: Run, tmp_path: Path
) -> None:
    run("export", str(tmp_path / "all"), "--plain")
    elsewhere("import", str(tmp_path / "all"))

    for person in (ADA, GRACE):
        proof = elsewhere("proof", given=f"{person}\n").stdout
        (tmp_path / "proof.json").write_text(proof)
        assert elsewhere("proof", "verify", str(tmp_path / "proof.json")).exit_code == 0
        assert json.loads(proof)["imported"]["origin"] == "double_opt_in"
        assert (
            "Confirmed at: http://localhost:8000"
            in elsewhere("access", "--locale", "en", given=f"{person}\n").stdout
        )


@pytest.mark.usefixtures("everybody")
def test_the_file_is_encrypted_and_opens_with_the_passphrase_alone(
    run: Run, elsewhere: Run, tmp_path: Path
) -> None:
    path = tmp_path / "everybody"

    assert run("export", str(path), given=f"{PASSPHRASE}\n").exit_code == 0

    assert path.stat().st_mode & 0o777 == 0o600
    assert b"example" not in path.read_bytes()
    wrong = elsewhere("import", str(path), given="another passphrase\n")
    assert (wrong.exit_code, "does not open the file" in wrong.stderr) == (1, True)
    assert "Confirmed: 2" in elsewhere("import", str(path), given=f"{PASSPHRASE}\n").stdout


@pytest.mark.usefixtures("everybody")
def test_an_outsider_decrypts_the_file_as_the_documentation_says(run: Run, tmp_path: Path) -> None:
    run("export", str(tmp_path / "everybody.enc"), given=f"{PASSPHRASE}\n")
    page = (Path(__file__).parents[2] / "docs" / "moving.md").read_text()
    recipe = page.partition("```python\n")[2].partition("```")[0]

    names: dict[str, Any] = {}
    exec(recipe, names)
    plain = names["decrypted"](tmp_path / "everybody.enc", PASSPHRASE)

    assert json.loads(plain.splitlines()[0])["format"] == "newsletter-export/1"
    assert len(plain.splitlines()) == 4


def test_pieces_cannot_be_cut_off(run: Run, elsewhere: Run, tmp_path: Path) -> None:
    lines = "".join(f"person{n}@example.com,2020-05-01,{'x' * 900}\n" for n in range(200))
    (tmp_path / "list.csv").write_text(f"email,confirmed_at,note\n{lines}")
    run("import", str(tmp_path / "list.csv"))
    path = tmp_path / "everybody"
    run("export", str(path), given=f"{PASSPHRASE}\n")

    whole = path.read_bytes()
    path.write_bytes(whole[: 46 + 2 * (65_536 + 16)])
    cut = elsewhere("import", str(path), given=f"{PASSPHRASE}\n")
    assert (cut.exit_code, "cut off" in cut.stderr) == (1, True)
    path.write_bytes(whole)
    assert "Confirmed: 200" in elsewhere("import", str(path), given=f"{PASSPHRASE}\n").stdout


@pytest.mark.usefixtures("everybody")
def test_no_cell_of_the_spreadsheet_is_a_formula(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "everybody.csv"

    assert run("export", str(path), "--csv", "--plain").exit_code == 0

    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["email"]: row for row in csv.DictReader(file)}
    assert rows[HEDY]["source"] == "'=HYPERLINK()"
    assert (rows[GRACE]["status"], rows[GRACE]["reason"]) == ("blocked", "unsubscribed")


def test_who_did_not_confirm_is_exported_and_not_taken_over(
    run: Run, elsewhere: Run, client: FlaskClient, tmp_path: Path
) -> None:
    sign_up(client, ADA)

    shown = run("export", str(tmp_path / "all"), "--plain").stdout

    assert "Exported: 1 (1 pending)." in shown
    assert (
        "Refused, the person did not confirm: 1"
        in elsewhere("import", str(tmp_path / "all")).stdout
    )


def test_blocks_of_which_only_a_digest_is_kept_are_counted(
    run: Run, join: Join, client: FlaskClient, drain: Drain, tmp_path: Path
) -> None:
    join(ADA)
    ask_staff(client, "erasures", ADA, keep_block=True)
    drain()

    assert "Blocks without an address: 1" in run("export", str(tmp_path / "all"), "--plain").stdout


def test_a_file_is_not_overwritten_and_a_short_passphrase_is_refused(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "there"
    path.write_text("mine")

    assert "exists already" in run("export", str(path), "--plain").stderr
    assert path.read_text() == "mine"
    assert "at least 12" in run("export", str(tmp_path / "new"), given="short\n").stderr
    assert not (tmp_path / "new").exists()


def test_a_damaged_line_is_refused_by_its_number(elsewhere: Run, tmp_path: Path) -> None:
    path = tmp_path / "all"
    path.write_text('{"format": "newsletter-export/1"}\n{"email": "ada@example.org"}\n')
    assert "not as an export writes it: 1 (row 2)" in elsewhere("import", str(path)).stdout
    path.write_text('{"format": "newsletter-export/1"}\n{"email": \n')
    assert "Line 2 is no JSON object" in elsewhere("import", str(path)).stderr


def test_the_ledger_records_that_everybody_was_exported(
    app: Flask, run: Run, tmp_path: Path
) -> None:
    assert json.loads(run("export", str(tmp_path / "all"), "--plain", "--json").stdout) == {
        "people": 0,
        "without_address": 0,
    }

    with app.app_context(), reading() as session:
        (row,) = session.scalars(select(LedgerRow))
    assert (row.event, row.detail, row.actor) == ("viewed", "everybody", "cli")
