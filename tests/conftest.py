"""What the tests stand on: both databases, a real mailbox, a strict stand-in of Mailchimp, and `drain()`."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from newsletter.app import create_app
from newsletter.cli import migrate
from newsletter.config import Settings, load
from newsletter.domain import clock as our_clock
from newsletter.storage.database import writing
from newsletter.storage.keys import keyring
from newsletter.storage.models import db
from newsletter.subscriptions import links, wording
from newsletter.subscriptions.links import Link, Purpose
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests import compiled, postgres
from tests.commands import Run, commands
from tests.databases import Databases
from tests.journeys.lives import Town
from tests.people import ADA, STAFF_TOKEN, WEBHOOK_SECRET, access, press, sign_up

Drain = Callable[[], None]
Join = Callable[..., None]
ClientWith = Callable[..., FlaskClient]
PathOf = Callable[..., str]
Clock = time_machine.Traveller

#: Tests run on SQLite, but for those of SQL, locks, types, times and constraints, and what only PostgreSQL knows.
both_databases = pytest.mark.databases("sqlite", "postgresql")
on_postgresql = pytest.mark.databases("postgresql")
on_sqlite = pytest.mark.databases("sqlite")

every_loop = pytest.mark.loops("every")
sealing = pytest.mark.loops("sealer")

#: Long tests, for which measuring coverage doubles the time. Other tests run the same branches, but for 0.3 %.
UNMEASURED = (
    "browser",
    "journeys",
    "ledger/test_checkpointing.py",
    "rights/test_erasure_report.py",
    "storage/keys/test_reencryption.py",
    "storage/test_backlog.py",
    "subscriptions/test_corrections.py",
    "subscriptions/test_quota.py",
    "subscriptions/test_rounds.py",
    "subscriptions/test_staff.py",
    "texts/test_merge.py",
    "web/openapi",
    "worker/audience/test_crowd.py",
    "worker/audience/test_holds.py",
    "worker/audience/test_interleaving.py",
    "worker/audience/test_outage.py",
    "worker/audience/test_outcome.py",
    "worker/restore/test_recognised.py",
    "worker/test_run.py",
    "worker/upkeep/test_retention.py",
)

IS_UNMEASURED, IS_PAUSED = pytest.StashKey[bool](), pytest.StashKey[bool]()

#: Where modules take longest.
LONGEST = ("journeys", "browser", "app", "web/openapi", "worker", "cli")

#: Where the worker runs all of its loops.
WHOLE_WORKER = (
    "app",
    "journeys",
    "ledger",
    "storage",
    "worker/restore",
    "worker/test_run.py",
    "worker/upkeep",
)

#: `make test-long`: what is worth running at length, but not each time.
IS_LONG = "TEST_LONG" in os.environ

COMPANY = {
    "SECRET_KEY": "signs-links-in-the-tests-0123456789",
    "DATA_KEY": "wraps-the-keyring-in-the-tests-0123",
    "ORGANISATION": "Muster & Söhne GmbH",
    "IMPRINT": "Muster & Söhne GmbH\\nMusterweg 1, 12345 Musterstadt\\nGeschäftsführerin: Erika Muster\\n"
    "E-Mail: kontakt@example.com\\nAG Musterstadt HRB 12345",
    "CONTACT_EMAIL": "datenschutz@example.com",
    "PRIVACY_URL": "https://www.example.com/datenschutz",
    "TOPICS": "neuen Werkzeugen für Tischler",
    "TOPICS_EN": "new tools for joiners",
    "MAIL_FROM": "Muster & Söhne <newsletter@example.com>",
    "ADMIN_TOKENS": f"dpo:{STAFF_TOKEN}",
    "MAILCHIMP_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "CLIENT_LIMIT": "off",
}


#: The tests are about our transactions, not about the disk, which takes a fifth of their time.
_MEMORY = Path("/dev/shm")
if (
    "TMPDIR" not in os.environ
    and _MEMORY.is_dir()
    and shutil.disk_usage(_MEMORY).free > 4 * 1024**3
):
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


compiled.install()

# Both watch the clock, and a test must not fail because the machine is slow.
hypothesis.settings.register_profile(
    "any speed",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("any speed")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have a test run on the databases that its mark names."""
    if "database_url" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("databases")
        metafunc.parametrize("database_url", mark.args if mark else ["sqlite"], indirect=True)


def pytest_xdist_auto_num_workers() -> int:
    """One more than cores, since many tests wait for other processes."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest modules, at which no core should be left alone in the end.

    Measure coverage in the first case of each test with an application. Each mistake planted in a deployed service is
    a case of its own.
    """
    items.sort(key=lambda item: not is_in(item.path, *LONGEST))
    cases: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        cases[test] += 1
        fixtures = getattr(item, "fixturenames", ())
        is_repeated = cases[test] > 1 and "database_url" in fixtures and "deployed" not in fixtures
        if is_repeated or is_in(item.path, *UNMEASURED):
            item.stash[IS_UNMEASURED] = True


@cache
def is_in(file: Path, *folders: str) -> bool:
    """Whether a file of tests is in one of these folders."""
    return any(file.is_relative_to(Path(__file__).parent / folder) for folder in folders)


@contextmanager
def unmeasured(config: pytest.Config) -> Iterator[None]:
    """Measure no coverage meanwhile."""
    plugin: Any = config.pluginmanager.getplugin("_cov")
    if plugin is None or plugin.cov_controller is None or config.stash.get(IS_PAUSED, False):
        yield
        return
    # The plugin's own pause adds a handler to every later fork each time it ends: a fork then took a minute.
    collector = plugin.cov_controller.cov._collector
    config.stash[IS_PAUSED] = True
    collector.pause()
    try:
        yield
    finally:
        collector.resume()
        config.stash[IS_PAUSED] = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Measure no coverage in fixtures, whose code has tests of its own."""
    with unmeasured(item.config):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    with unmeasured(item.config) if IS_UNMEASURED in item.stash else nullcontext():
        return (yield)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays until the end; it would take a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def release(app: Flask) -> None:
    """What the release process does."""
    with app.app_context():
        migrate.upgrade()
        with writing() as session:
            keyring.make_if_missing(session)
            wording.publish(session)
        db.engine.dispose()


@cache
def _released() -> bytes:
    """A database after its release; in memory, since `make mutants` forks a process that has it for each mutant."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "newsletter.sqlite3"
        release(create_app(load({**COMPANY, "DATABASE_URL": f"sqlite:///{path}"})))
        return path.read_bytes()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "newsletter.sqlite3"
    path.write_bytes(_released())
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.running() as url:
        yield url


@pytest.fixture(scope="session")
def databases(postgres_server: str) -> Databases:
    name = f"template_{uuid.uuid4().hex}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    release(create_app(load({**COMPANY, "DATABASE_URL": f"{postgres_server}/{name}"})))
    return Databases(postgres_server, name)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        path = tmp_path / "newsletter.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    databases: Databases = request.getfixturevalue("databases")
    name = databases.take()
    yield f"{request.getfixturevalue('postgres_server')}/{name}"
    databases.give_back(name)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as running:
        yield running


@pytest.fixture
def mailchimp() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def environment(database_url: str, mailbox: Mailbox, mailchimp: StandIn) -> dict[str, Any]:
    """The environment of a running service, as variables."""
    return {
        **COMPANY,
        "DATABASE_URL": database_url,
        "SMTP_URL": mailbox.smtp_url,
        "SMTP_CONNECTIONS": "1",  # letters arrive in the order in which they were written
        "MAILCHIMP_API_KEY": mailchimp.api_key,
        "MAILCHIMP_LIST_ID": mailchimp.list_id,
        "MAILCHIMP_API_URL": mailchimp.api_url,
    }


@pytest.fixture
def environ(database_url: str, mailbox: Mailbox, mailchimp: StandIn) -> dict[str, Any]:
    return environment(database_url, mailbox, mailchimp)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for checkpoints."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(environ: dict[str, Any]) -> Settings:
    return load(environ)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.testing = True
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def worker(request: pytest.FixtureRequest, app: Flask) -> Iterator[Worker]:
    """A worker with all of its loops in WHOLE_WORKER, elsewhere with those that a test needs.

    In tests/worker, these are for e-mails and Mailchimp. Other tests also need cleaning, and housekeeping and retention
    where they move the clock, since nothing ends otherwise.
    """
    marked = {name for mark in request.node.iter_markers("loops") for name in mark.args}
    wanted = {"postman", "audience", *marked}
    if not is_in(request.path, "worker"):
        wanted.add("cleaning")
        if "clock" in request.fixturenames:
            wanted |= {"housekeeping", "retention"}
    worker = Worker(app)
    if "every" not in marked and not is_in(request.path, *WHOLE_WORKER):
        worker.loops = [loop for loop in worker.loops if loop.name in wanted]
    yield worker
    worker.close()


@pytest.fixture
def drain(request: pytest.FixtureRequest, worker: Worker) -> Drain:
    """The worker has run: nothing is left to do now. Its coverage is measured in its own tests."""

    def drain() -> None:
        with unmeasured(request.config):
            worker.drain()

    return worker.drain if is_in(request.path, "worker") else drain


@pytest.fixture
def join(
    request: pytest.FixtureRequest, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> Join:
    """Sign up, confirm, and stand at Mailchimp: one or several at once."""

    def join(*people: str) -> None:
        with unmeasured(request.config):
            for person in people:
                sign_up(client, person)
            drain()
            for person in people:
                assert press(client, mailbox, person) == 200
            drain()

    return join


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still until it is moved."""
    with time_machine.travel("2026-03-01T12:00:00+00:00", tick=False) as traveller:
        yield traveller


@pytest.fixture
def town(
    app: Flask, mailbox: Mailbox, mailchimp: StandIn, worker: Worker, clock: Clock
) -> Iterator[Town]:
    """Nobody lives there yet."""
    with app.app_context():
        yield Town(app, mailbox, mailchimp, worker, clock)


@pytest.fixture
def run(environ: dict[str, Any]) -> Iterator[Run]:
    """Run a command: run(*words, given=what_is_on_standard_input, **other_settings)."""
    with commands(environ) as run:
        yield run


@pytest.fixture
def client_with(sqlite_template: Path, tmp_path: Path) -> Iterator[ClientWith]:
    """A client of a web process with other settings, on SQLite, where the database does not matter."""
    file = tmp_path / "other.sqlite3"
    shutil.copy(sqlite_template, file)
    apps: list[Flask] = []

    def make(**variables: str) -> FlaskClient:
        app = create_app(load({**COMPANY, "DATABASE_URL": f"sqlite:///{file}", **variables}))
        apps.append(app)
        return app.test_client()

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def any_client(client_with: ClientWith) -> FlaskClient:
    """A client where neither settings nor database matter."""
    return client_with()


@pytest.fixture
def letter(client: FlaskClient, drain: Drain, mailbox: Mailbox) -> EmailMessage:
    """The letter that Ada got after signing up."""
    sign_up(client, ADA)
    drain()
    return mailbox.letters_to(ADA)[-1].message


@pytest.fixture
def path_of(app: Flask, client: FlaskClient) -> PathOf:
    """The path of the link that somebody's letter has."""

    def path_of(email: str = ADA) -> str:
        reference = str(access(client, email)["reference"])
        with app.app_context():
            url = links.url_for(Purpose.MY_DATA, Link(reference, written_at=our_clock.now()))
        return url.removeprefix("http://localhost:8000")

    return path_of


@pytest.fixture
def path(join: Join, path_of: PathOf) -> str:
    """The link of Ada, who has confirmed."""
    join(ADA)
    return path_of()
