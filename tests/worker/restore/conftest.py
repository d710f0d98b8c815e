"""A service that writes checkpoints, and backups of its database that can be restored."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg.sql import SQL, Identifier

from newsletter.storage.models import db
from tests import postgres
from tests.conftest import Clock, Drain, Join
from tests.people import ADA, GRACE, HEDY, ask_staff, sign_up
from tests.worker.restore.restoring import HOUR, JOAN, Restore


@pytest.fixture
def environ(environ: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The service writes checkpoints."""
    return {**environ, "LEDGER_CHECKPOINTS": str(folder)}


def drop_on_server(url: str, name: str) -> None:
    with psycopg.connect(f"{url.rsplit('/', 1)[0]}/postgres", autocommit=True) as server:
        server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def copy_on_server(url: str, template: str, name: str) -> None:
    with psycopg.connect(f"{url.rsplit('/', 1)[0]}/postgres", autocommit=True) as server:
        postgres.copy(server, template, name)


@pytest.fixture
def backup(app: Flask, database_url: str, tmp_path: Path) -> Iterator[Callable[[], Restore]]:
    """Make a backup of the database; what is given back restores it."""
    copies: list[str] = []
    own = database_url.rsplit("/", 1)[1]

    def close() -> None:
        with app.app_context():
            db.engine.dispose()

    def on_postgresql() -> Restore:
        close()
        copy = f"backup_{uuid.uuid4().hex}"
        copies.append(copy)
        copy_on_server(database_url, own, copy)

        def restore() -> None:
            close()
            drop_on_server(database_url, own)
            copy_on_server(database_url, copy, own)

        return restore

    def on_sqlite() -> Restore:
        close()
        file = Path(database_url.removeprefix("sqlite:///"))
        copy = tmp_path / f"backup-{uuid.uuid4().hex}"
        shutil.copy(file, copy)

        def restore() -> None:
            close()
            for beside in file.parent.glob(f"{file.name}-*"):
                beside.unlink()
            shutil.copy(copy, file)

        return restore

    yield on_sqlite if database_url.startswith("sqlite") else on_postgresql
    for copy in copies:
        drop_on_server(database_url, copy)


@pytest.fixture
def restored(
    client: FlaskClient,
    mailchimp: object,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    clock: Clock,
) -> Restore:
    """Ada and Grace were erased after a backup, Grace with her block kept, and it was restored; Hedy is confirmed."""
    join(ADA, GRACE, HEDY)
    clock.shift(HOUR)
    sign_up(client, JOAN)  # her letter waits in the backup
    restore = backup()
    drain()
    ask_staff(client, "erasures", ADA)
    ask_staff(client, "erasures", GRACE, keep_block=True)
    drain()
    clock.shift(HOUR)
    restore()
    return restore
