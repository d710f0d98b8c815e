"""`newsletter ledger verify`, and the worker that does the same once a day."""

from __future__ import annotations

import os
import pty
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from newsletter.cli import main
from newsletter.ledger import comparison, verifying
from newsletter.storage import jobs, notices
from newsletter.storage.database import reading
from newsletter.storage.models import Job, LedgerRow, Seal
from newsletter.storage.runs import verification
from newsletter.worker.upkeep.verifier import AGAIN_AFTER, Verifier
from tests.attacker import attacking
from tests.checkout import command
from tests.commands import Run
from tests.conftest import Clock, Drain, Join, every_loop
from tests.people import ADA, GRACE, STAFF, ask_staff, sign_up

pytestmark = every_loop

COMMAND = command("newsletter")
DAY = timedelta(days=1)


@pytest.fixture
def environ(environ: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The service writes checkpoints."""
    return {**environ, "LEDGER_CHECKPOINTS": str(folder)}


def change(app: Flask, row: int = 2, actor: str | None = "nobody") -> None:
    with attacking(app) as connection:
        connection.execute(update(LedgerRow).where(LedgerRow.id == row).values(actor=actor))


def reasons(client: FlaskClient) -> list[str]:
    told: list[str] = client.get("/ready", headers=STAFF).get_json()["reasons"]
    return [reason for reason in told if reason != "no live worker"]


def test_an_unchanged_ledger_is_status_zero(client: FlaskClient, join: Join, run: Run) -> None:
    join(ADA)
    sign_up(client, GRACE)
    alone, beside = run("ledger", "verify"), run("ledger", "verify", "--checkpoints")

    assert (alone.exit_code, beside.exit_code) == (0, 0)
    assert alone.stdout.splitlines() == [
        "4 rows match their seals.",
        "1 more are not sealed yet.",
    ]
    assert beside.stdout.splitlines()[0] == ("4 rows match their seals and the checkpoints.")


@pytest.mark.requires("R36")
def test_the_first_wrong_row_is_named_with_status_one(app: Flask, join: Join, run: Run) -> None:
    join(ADA)
    change(app, 3)
    change(app, 2)
    result = run("ledger", "verify")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: Position 2, row 2: the row, or its seal, is not what was sealed.\n"
    )


@pytest.mark.usefixtures("clock")
def test_only_checkpoints_show_a_tail_that_was_cut_off(
    app: Flask, client: FlaskClient, join: Join, drain: Drain, run: Run
) -> None:
    join(ADA)
    ask_staff(client, "erasures", ADA)
    drain()
    with attacking(app) as connection:
        connection.execute(delete(Seal).where(Seal.position > 4))
        connection.execute(delete(LedgerRow).where(LedgerRow.id > 4))
    alone, beside = run("ledger", "verify"), run("ledger", "verify", "--checkpoints")

    assert (alone.exit_code, beside.exit_code) == (0, 1)
    assert beside.stderr.startswith("Error: Position 4 is the last, but the checkpoint of ")


def test_the_folder_may_be_another(join: Join, run: Run, folder: Path, tmp_path: Path) -> None:
    join(ADA)
    copy = folder.rename(tmp_path / "copy")
    given = run("ledger", "verify", "--folder", str(copy))
    away = run("ledger", "verify", "--checkpoints")
    missing = run("ledger", "verify", "--checkpoints", LEDGER_CHECKPOINTS="")

    assert [given.exit_code, away.exit_code, missing.exit_code] == [0, 1, 1]
    assert given.stdout.endswith(" and the checkpoints.\n")
    assert away.stderr == "Error: LEDGER_CHECKPOINTS: cannot be read (No such file or directory).\n"
    assert missing.stderr == "Error: LEDGER_CHECKPOINTS: is not set.\n"


def test_without_a_subcommand_the_help_is_printed() -> None:
    result = CliRunner().invoke(main, ["ledger"])

    assert "verify" in result.output


def test_a_terminal_shows_a_progress_bar(
    join: Join, environ: dict[str, Any], tmp_path: Path
) -> None:
    join(ADA)
    controller, terminal = pty.openpty()
    done = subprocess.run(
        [COMMAND, "ledger", "verify"],
        env={**environ, "TERM": "xterm"},
        cwd=tmp_path,
        stdout=terminal,
        stderr=subprocess.PIPE,
    )
    os.close(terminal)
    shown = os.read(controller, 100_000).decode()
    os.close(controller)

    assert done.returncode == 0, done.stderr
    assert "Rows" in shown
    assert "4 rows match their seals." in shown


def ran_at(app: Flask) -> Any:
    with app.app_context(), reading() as session:
        return session.scalar(select(Job.ran_at).where(Job.name == "verify"))


def test_the_worker_verifies_once_a_night(app: Flask, drain: Drain, clock: Clock) -> None:
    times = []
    hour = timedelta(hours=1)
    for shift in (timedelta(0), 13 * hour, hour, hour):
        clock.shift(shift)
        drain()
        times.append(ran_at(app))

    assert [at - times[0] for at in times] == [timedelta(0), timedelta(0), 14 * hour, 14 * hour]


@pytest.mark.requires("R78")
def test_staff_learn_what_the_worker_finds(
    app: Flask, client: FlaskClient, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    change(app)
    before = reasons(client)
    clock.shift(DAY)
    drain()

    assert before == []
    assert reasons(client) == [
        "ledger wrong: Position 2, row 2: the row, or its seal, is not what was sealed."
    ]


def test_staff_learn_of_a_rewritten_checkpoint(
    client: FlaskClient, join: Join, drain: Drain, clock: Clock, folder: Path
) -> None:
    join(ADA)
    file = folder / "checkpoints.jsonl"
    clock.shift(timedelta(minutes=1))
    sign_up(client, GRACE)
    drain()
    file.write_text(file.read_text().replace('"row_id"', '"column_id"', 1))
    clock.shift(DAY)
    drain()

    assert "ledger wrong: checkpoints.jsonl: The line of position" in "".join(reasons(client))


def test_staff_learn_that_it_has_not_run_for_two_days(
    app: Flask, client: FlaskClient, join: Join, clock: Clock
) -> None:
    join(ADA)
    clock.shift(2 * DAY - timedelta(seconds=1))
    before = reasons(client)
    clock.shift(timedelta(seconds=1))

    assert before == []
    assert reasons(client)[0] == "ledger not verified since 2026-03-01T12:00:00Z"


def test_it_is_walked_a_page_at_a_time_by_one_worker(
    app: Flask, join: Join, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(ADA)
    clock.shift(DAY)
    monkeypatch.setattr(verifying, "PAGE", 3)
    first, second = Verifier("first"), Verifier("second")
    with app.app_context():
        seen = [first.step(), second.step(), first.step(), first.step(), second.step()]

        assert seen == [True, False, False, False, False]
        assert notices.current() == []
        assert jobs.take("verify", "third")


@pytest.mark.parametrize(
    ("words", "is_told"),
    [
        (("--checkpoints",), False),
        ((), True),  # the worker compares with the checkpoints, too
    ],
)
def test_a_correction_ends_the_complaint_once_the_command_has_verified_all_that_the_worker_does(
    app: Flask,
    client: FlaskClient,
    join: Join,
    drain: Drain,
    clock: Clock,
    run: Run,
    words: tuple[str, ...],
    is_told: bool,
) -> None:
    join(ADA)
    change(app)
    clock.shift(DAY)
    drain()
    before = reasons(client)
    change(app, actor=None)
    checked = run("ledger", "verify", *words)

    assert len(before) == 1
    assert checked.exit_code == 0, checked.output
    assert reasons(client) == (before if is_told else [])


def test_without_checkpoints_verifying_the_ledger_is_enough(
    app: Flask, join: Join, clock: Clock, run: Run
) -> None:
    join(ADA)
    clock.shift(DAY)
    run("ledger", "verify", LEDGER_CHECKPOINTS="")
    with app.app_context():
        assert not verification.is_due()


def test_a_failed_walk_is_repeated_an_hour_later(
    app: Flask, join: Join, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(ADA)
    clock.shift(DAY)
    verifier = Verifier("this worker")
    with app.app_context():
        with monkeypatch.context() as odd:
            odd.setattr(comparison, "first_fault", stumble)
            with pytest.raises(RuntimeError):
                verifier.step()
            assert not verifier.step()
        assert jobs.take("verify", "another worker")
        jobs.give_back("verify", "another worker")
        assert verification.is_due()
        clock.shift(AGAIN_AFTER)
        verifier.step()

        assert not verification.is_due()


def stumble(*_: object) -> None:
    raise RuntimeError("odd")
