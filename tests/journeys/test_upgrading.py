"""A later release beside this one: its schema only adds, and no sign-up is lost on the way (docs/upgrading.md)."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect, text

from newsletter.app import create_app
from newsletter.cli import migrate
from newsletter.config import load
from newsletter.domain.errors import UnreleasedSchema
from newsletter.storage import schema
from newsletter.storage.database import reading
from newsletter.storage.models import db
from newsletter.storage.schema import UNRELEASED, Schema, migrations_folder, revisions
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import both_databases, on_postgresql, on_sqlite
from tests.journeys.service import Service, running, wait_until
from tests.patience import PATIENCE
from tests.people import ADA, GRACE, HEDY, link_in

pytestmark = both_databases

#: What a migration may take away ("quota.letters is gone"), with the release since which no code uses it.
TAKEN_AWAY: dict[str, str] = {}

LATER = "9999"
ADDS = """
    op.add_column("subscription", sa.Column("colour", sa.String(length=16), nullable=True))
    op.add_column("letter", sa.Column("pages", sa.Integer(), nullable=False, server_default="1"))
    op.create_table("branch", sa.Column("id", sa.Integer(), primary_key=True))
"""
TAKES_AWAY = {
    "op.drop_table('quota')": "quota is gone",
    "op.rename_table('quota', 'allowance')": "quota is gone",
    "op.execute('ALTER TABLE quota RENAME COLUMN letters TO sent')": "quota.letters is gone",
    "op.execute('ALTER TABLE letter DROP COLUMN template')": "letter.template is gone",
    "op.add_column('quota', sa.Column('colour', sa.String(length=9), nullable=False))": (
        "quota.colour is asked of code that does not know it"
    ),
    "op.alter_column('letter', 'template', nullable=False)": "letter.template is asked for now",
}


def migrations_with(steps: str, folder: Path) -> Path:
    """This release's migrations, and one more."""
    later = folder / "migrations"
    shutil.copytree(migrations_folder(), later, ignore=shutil.ignore_patterns("__pycache__"))
    newest = ScriptDirectory(str(later)).get_current_head()
    (later / "versions" / f"{LATER}.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\n\n"
        f"revision = '{LATER}'\ndown_revision = '{newest}'\n\n\n"
        f"def upgrade():\n    {steps.strip()}\n",
        "utf-8",
    )
    return later


@pytest.fixture
def later_release(environ: dict[str, Any], tmp_path: Path) -> Iterator[Flask]:
    """The application of a later release, which has one migration more; not released yet."""
    app = create_app(load(environ))
    app.extensions["migrations"] = migrations_with(ADDS, tmp_path)
    yield app
    with app.app_context():
        db.engine.dispose()


def release(app: Flask) -> None:
    with app.app_context():
        migrate.upgrade()
    assert schema_of(app) is Schema.CURRENT


def schema_of(app: Flask) -> Schema:
    with app.app_context(), reading() as session:
        return schema.schema_of(session.connection())


def status_of_ready(app: Flask) -> int:
    return app.test_client().get("/ready").status_code


def test_each_migration_is_named_by_its_revision_in_their_order(tmp_path: Path) -> None:
    later = migrations_with(ADDS, tmp_path)

    in_order = [each.revision for each in ScriptDirectory(str(later)).walk_revisions()]
    assert list(revisions(later)) == in_order


def test_code_on_its_own_schema_is_ready(app: Flask) -> None:
    assert (schema_of(app), status_of_ready(app)) == (Schema.CURRENT, 200)


def test_code_on_a_later_schema_is_ready(app: Flask, later_release: Flask) -> None:
    release(later_release)

    assert (schema_of(app), status_of_ready(app)) == (Schema.AHEAD, 200)


def test_code_on_an_earlier_schema_is_not_ready(later_release: Flask) -> None:
    assert (schema_of(later_release), status_of_ready(later_release)) == (Schema.BEHIND, 503)


@pytest.mark.parametrize("emptied", ["DELETE FROM alembic_version", "DROP TABLE alembic_version"])
def test_code_without_a_schema_is_not_ready(app: Flask, emptied: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(emptied))

    assert (schema_of(app), status_of_ready(app)) == (Schema.MISSING, 503)


class Crowd:
    """People who sign up one after another, on several connections, until it is enough."""

    def __init__(self, sign_up: Callable[[str], int], size: int = 4) -> None:
        self._sign_up = sign_up
        self._enough = threading.Event()
        self._at_work = threading.Semaphore(0)
        self._pool = ThreadPoolExecutor(size)
        self._queues = [self._pool.submit(self._queue, number) for number in range(size)]

    def _queue(self, number: int) -> dict[str, int]:
        answers: dict[str, int] = {}
        while not self._enough.is_set():
            person = f"person-{number}-{len(answers)}@example.com"
            answers[person] = self._sign_up(person)
            self._at_work.release()
        return answers

    def goes_on(self, times: int = 10) -> None:
        """Wait until so many more have got their answer."""
        for _ in range(times):
            assert self._at_work.acquire(timeout=PATIENCE)

    def disperse(self) -> dict[str, int]:
        """The status that each of them got."""
        self._enough.set()
        answers: dict[str, int] = {}
        for queue in self._queues:
            answers |= queue.result()
        self._pool.shutdown()
        return answers


def subscriptions_in(app: Flask) -> int:
    with app.app_context(), reading() as session:
        return session.scalar(text("SELECT count(*) FROM subscription")) or 0


def test_no_sign_up_is_lost_while_a_later_release_comes(
    environ: dict[str, Any], tmp_path: Path, later_release: Flask
) -> None:
    with running(environ, tmp_path, webs=2, workers=0) as service:
        crowd = Crowd(lambda email: service.sign_up(email, web=len(email) % 2))
        crowd.goes_on()
        release(later_release)
        crowd.goes_on()
        answers = crowd.disperse()

        assert Counter(answers.values()) == {202: len(answers)}, service.logs()
        assert subscriptions_in(later_release) == len(answers)


@on_postgresql
def test_web_and_worker_of_before_go_on_beside_a_later_schema(
    environ: dict[str, Any],
    tmp_path: Path,
    later_release: Flask,
    mailbox: Mailbox,
    mailchimp: StandIn,
) -> None:
    with running(environ, tmp_path, workers=1) as service:
        assert service.sign_up(ADA) == 202
        assert mailbox.wait_for(1)

        release(later_release)

        assert service.http.get(service.url("/ready")).status_code == 200
        assert service.press(link_in(mailbox.letters_to(ADA)[0].message)).status_code == 200
        assert service.sign_up(GRACE) == 202
        assert mailbox.wait_for(2)
        wait_until(lambda: ADA.lower() in mailchimp.contacts, "Ada stands at Mailchimp")


@on_sqlite
def test_code_of_before_can_be_started_again_on_a_later_schema(
    environ: dict[str, Any], tmp_path: Path, later_release: Flask, mailbox: Mailbox
) -> None:
    release(later_release)

    with running(environ, tmp_path, workers=1) as service:
        assert "The schema is a later release's" in service.logs()
        assert "Traceback" not in service.logs()
        assert service.http.get(service.url("/ready")).status_code == 200
        assert service.sign_up(HEDY) == 202
        assert mailbox.wait_for(1)
    assert schema_of(later_release) is Schema.CURRENT


@on_postgresql
def test_a_release_that_waits_for_a_long_look_lets_sign_ups_pass(
    environ: dict[str, Any], tmp_path: Path, database_url: str, later_release: Flask
) -> None:
    with ExitStack() as stack:
        service = stack.enter_context(Service(environ, tmp_path))
        service.start_web()
        looker = stack.enter_context(psycopg.connect(database_url))
        looker.execute("SELECT count(*) FROM subscription")
        releasing = threading.Thread(target=release, args=[later_release])
        releasing.start()
        stack.callback(releasing.join)
        crowd = Crowd(service.sign_up)
        wait_until(lambda: _waits_for_a_lock(database_url), "the release waits")
        crowd.goes_on(40)
        answers = crowd.disperse()

        assert Counter(answers.values()) == {202: len(answers)}, service.logs()
        assert schema_of(later_release) is Schema.BEHIND
        looker.rollback()
        releasing.join()
        assert schema_of(later_release) is Schema.CURRENT


def _waits_for_a_lock(database_url: str) -> bool:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'"
        ).fetchone()
        return bool(row and row[0])


Columns = dict[str, dict[str, bool]]


def columns_of(app: Flask) -> Columns:
    """Every table's columns, and whether a row can be written without knowing the column."""
    with app.app_context():
        look = inspect(db.engine)
        return {
            table: {
                column["name"]: column["nullable"] or column["default"] is not None
                for column in look.get_columns(table)
            }
            for table in look.get_table_names()
        }


def taken_away(before: Columns, after: Columns) -> list[str]:
    """What code that knows the earlier schema would miss in the later one."""
    missed = [f"{table} is gone" for table in before.keys() - after.keys()]
    for table in before.keys() & after.keys():
        was, now = before[table], after[table]
        missed += [f"{table}.{name} is gone" for name in was.keys() - now.keys()]
        missed += [
            f"{table}.{name} is asked of code that does not know it"
            for name in now.keys() - was.keys()
            if not now[name]
        ]
        missed += [
            f"{table}.{name} is asked for now"
            for name in was.keys() & now.keys()
            if was[name] and not now[name]
        ]
    return missed


def upgraded_to(app: Flask, revision: str) -> Columns:
    with app.app_context():
        migrate.upgrade(revision=revision)
    return columns_of(app)


@pytest.fixture
def unreleased(environ: dict[str, Any], tmp_path: Path) -> Iterator[Flask]:
    """An application whose database is empty yet."""
    app = create_app(load({**environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"}))
    yield app
    with app.app_context():
        db.engine.dispose()


@on_sqlite
def test_every_migration_only_adds_or_takes_away_what_an_earlier_release_let_go(
    unreleased: Flask,
) -> None:
    steps = revisions(unreleased.extensions["migrations"])[::-1]
    schemas = [upgraded_to(unreleased, step) for step in steps]

    missed = [what for pair in pairwise(schemas) for what in taken_away(*pair)]

    assert schemas[0]["subscription"]
    assert [what for what in missed if what not in TAKEN_AWAY] == []


@pytest.mark.parametrize("number", UNRELEASED)
@on_sqlite
def test_a_database_of_the_old_numbering_is_refused_in_one_sentence(
    app: Flask, number: str
) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = :number"), {"number": number}
        )

    assert (schema_of(app), status_of_ready(app)) == (Schema.BEHIND, 503)
    with app.app_context(), pytest.raises(UnreleasedSchema, match="name an empty one"):
        migrate.upgrade()


@pytest.mark.parametrize("step", TAKES_AWAY)
@on_postgresql
def test_a_migration_that_takes_away_is_noticed(app: Flask, tmp_path: Path, step: str) -> None:
    before = columns_of(app)
    app.extensions["migrations"] = migrations_with(step, tmp_path)

    assert TAKES_AWAY[step] in taken_away(before, upgraded_to(app, LATER))


def test_a_migration_that_adds_takes_nothing_away(app: Flask, later_release: Flask) -> None:
    before = columns_of(app)

    assert taken_away(before, upgraded_to(later_release, LATER)) == []
