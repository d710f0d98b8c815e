"""`newsletter retention` and `newsletter erase --status`, as an operator uses them."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from newsletter.storage import jobs
from newsletter.storage.database import writing
from newsletter.storage.models import Subscription
from tests.commands import Run, noticed
from tests.conftest import Clock, Drain, Join, every_loop
from tests.people import ADA, GRACE, access, sign_up, status_of

WEEK = timedelta(days=7)

pytestmark = [pytest.mark.usefixtures("clock"), every_loop]


@pytest.fixture
def run(run: Run) -> Run:
    """Run a command with an address on its standard input."""
    return partial(run, given=f"{ADA}\n")


@pytest.mark.requires("R63")
def test_a_dry_run_lists_references_and_changes_nothing(
    run: Run, client: FlaskClient, clock: Clock
) -> None:
    sign_up(client, ADA)
    reference = access(client, ADA)["reference"]
    clock.shift(WEEK - timedelta(days=1))
    sign_up(client, GRACE)
    clock.shift(timedelta(days=1))

    told = run("retention", "--dry-run")

    assert told.exit_code == 0
    assert f"requests: 1 now, 1 later, the first on 2026-03-14\n  {reference}\n" in told.stdout
    assert "proofs: 0 now, 0 later\n" in told.stdout
    assert "example" not in told.output.lower()
    assert run("retention", "--dry-run").stdout == told.stdout


def test_programs_get_the_plan_and_the_run_as_json(
    run: Run, client: FlaskClient, clock: Clock
) -> None:
    sign_up(client, ADA)
    reference = access(client, ADA)["reference"]
    clock.shift(WEEK)

    plan = json.loads(run("retention", "--dry-run", "--json").stdout)
    assert plan["requests"] == {"now": [reference], "later": 0, "first_on": None}
    assert json.loads(run("retention", "--json").stdout)["requests"] == 1
    assert run("retention", "--json", "--after-restore").exit_code == 2


def test_a_run_ends_what_the_dry_run_listed_and_tells_counts(
    run: Run, client: FlaskClient, clock: Clock
) -> None:
    sign_up(client, ADA)
    clock.shift(WEEK)

    told = run("retention")

    assert told.exit_code == 0
    assert told.stdout.startswith("requests: 1 ended\nproofs: 0 ended\n")
    assert "requests: 0 now, 0 later" in run("retention", "--dry-run").stdout
    assert status_of(client, ADA) == "unknown"


def test_a_second_run_at_the_same_time_is_refused(run: Run, app: Flask) -> None:
    with app.app_context():
        jobs.take("retention", "somebody else")

    told = run("retention")

    assert (told.exit_code, told.stderr) == (
        1,
        "Error: Another run is under way: wait until it has ended.\n",
    )


def test_a_run_that_leaves_something_is_not_done(
    run: Run, app: Flask, client: FlaskClient, clock: Clock
) -> None:
    sign_up(client, ADA)
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(address=b"damaged"))
    clock.shift(WEEK)

    told = run("retention")

    assert told.exit_code == 1
    assert "1 past their end could not be ended" in told.stderr
    with app.app_context():
        assert noticed() == ["retention: 1 past their end could not be ended, and are kept"]


def test_an_erasure_is_shown_by_its_id_until_its_receipt(run: Run, drain: Drain) -> None:
    begun = json.loads(run("erase", "--json", "--yes").stdout)
    assert json.loads(run("erase", "--json", "--status", begun["id"]).stdout) == begun
    drain()

    done = json.loads(run("erase", "--json", "--status", begun["id"]).stdout)
    assert json.loads(run("erase", "--json", "--status", begun["reference"]).stdout) == done

    assert (done["status"], done["receipt"]["reference"]) == ("completed", begun["reference"])


def test_an_unknown_erasure_is_not_shown(run: Run) -> None:
    told = run("erase", "--status", "0" * 32)

    assert (told.exit_code, told.stdout) == (1, "")
    assert "No erasure has this id or reference number" in told.stderr


def test_an_empty_id_from_a_variable_that_is_not_set_erases_nobody(run: Run, join: Join) -> None:
    join(ADA)

    assert run("erase", "--status", "").exit_code == 1
    assert json.loads(run("access", "--json").stdout)["status"] == "confirmed"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "sie zeigen, dass das Recht eingehalten wurde"),
        (["--locale", "en"], "they show that the law was kept"),
    ],
)
def test_what_is_kept_is_told_in_the_language_that_is_asked_for(
    run: Run, words: list[str], why: str
) -> None:
    begun = json.loads(run("erase", "--json", "--yes").stdout)

    told = json.loads(run("erase", "--json", "--status", begun["id"], *words).stdout)

    kept = {it["code"]: it for it in told["report"]["kept"]}
    assert kept["ledger"]["why"].startswith(why)


def test_a_status_and_a_new_erasure_are_not_asked_for_together(run: Run) -> None:
    assert run("erase", "--keep-block", "--status", "0" * 32).exit_code == 2
