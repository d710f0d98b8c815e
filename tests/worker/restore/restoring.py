"""What tests of restored backups share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from newsletter.domain.errors import RestoredDatabase
from newsletter.ledger import comparison
from newsletter.ledger.verifying import Verification
from newsletter.worker.run import Worker
from tests.people import STAFF

HOUR = timedelta(hours=1)
JOAN = "joan@example.com"

Restore = Callable[[], None]


def work(app: Flask) -> str | None:
    """A worker starts, does all that it may, and ends; why it refuses to, as it says."""
    worker = Worker(app)
    try:
        worker.drain()
    except RestoredDatabase as refusal:
        return str(refusal)
    finally:
        worker._leave()
    return None


def reasons(client: FlaskClient) -> list[str]:
    """Why /ready is degraded, as staff read it."""
    given: list[str] = client.get("/ready", headers=STAFF).get_json()["reasons"]
    return [reason for reason in given if reason != "no live worker"]


def complaint(app: Flask, folder: Path) -> str | None:
    """What is wrong with the ledger, alone and beside its checkpoints."""
    with app.app_context():
        walk = Verification()
        while walk.step():
            pass
        return str(walk.fault) if walk.fault else comparison.first_fault(folder)


def unmount(folder: Path, *, leaves_it_empty: bool) -> Callable[[], None]:
    """Take the folder away, or leave only the place where it was mounted; what is given back mounts it again."""
    away = folder.rename(folder.with_name("away"))
    if leaves_it_empty:
        folder.mkdir()

    def mount() -> None:
        if leaves_it_empty:
            folder.rmdir()
        away.rename(folder)

    return mount
