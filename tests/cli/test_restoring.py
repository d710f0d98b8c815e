"""After a backup was restored, staff's commands change nothing that restoring it still needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from newsletter.domain import clock
from newsletter.ledger import restored as restoring
from newsletter.ledger.restored import Case
from newsletter.storage import jobs
from newsletter.storage.database import writing
from sandbox.mailchimp import StandIn
from tests.commands import Run, commands


@pytest.fixture
def run(environ: dict[str, Any]) -> Iterator[Run]:
    with commands(environ) as run:
        yield run


def restore(app: Flask) -> None:
    with app.app_context(), writing() as session:
        job = jobs.row(session, restoring.JOB)
        job.held_since, job.hold_reason, job.result = clock.now(), Case.RESTORED, "0" * 64


@pytest.fixture
def restored(app: Flask) -> None:
    """A worker has seen that a backup was restored."""
    restore(app)


@pytest.mark.parametrize(
    "words", ["reconcile", "reconcile --full --yes", "retention", "keys rotate --data"]
)
def test_nothing_is_changed_and_the_command_to_run_first_is_named(
    run: Run, mailchimp: StandIn, restored: None, words: str
) -> None:
    result = run(*words.split())

    assert (result.exit_code, result.stdout) == (1, "")
    assert "`newsletter retention --after-restore`" in result.stderr
    assert mailchimp.calls == []


@pytest.mark.parametrize("words", ["retention --dry-run", "keys list", "keys rotate"])
def test_looking_and_a_new_data_key_around_the_keyring_are_no_change(
    run: Run, restored: None, words: str
) -> None:
    assert run(*words.split()).exit_code == 0


def test_values_under_an_old_data_key_wait(run: Run, app: Flask) -> None:
    run("keys", "rotate", "--data")
    restore(app)

    assert run("keys", "rotate").exit_code == 1
