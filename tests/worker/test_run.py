"""The worker as a process: it begins, goes on whatever happens, and ends in time."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from psycopg.sql import SQL, Identifier
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from newsletter.app import create_app
from newsletter.cli import application, main
from newsletter.config import load
from newsletter.storage import holds, jobs
from newsletter.storage.database import reading
from newsletter.storage.holds import PROBE_EVERY
from newsletter.storage.models import Erasure, Job, Letter, db
from newsletter.worker import run
from newsletter.worker.mail import copies
from newsletter.worker.mailchimp.client import Mailchimp, client_for
from newsletter.worker.mailchimp_loop import MailchimpLoop
from newsletter.worker.run import Loop, Worker
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.commands import noticed
from tests.conftest import Clock, Drain, on_postgresql, release
from tests.journeys.service import Process, Service, wait_until
from tests.patience import PATIENCE
from tests.people import ADA, GRACE, HEDY, ask_staff, confirm, events_of, sign_up
from tests.worker.audience.test_sync import LeavingMeanwhile
from tests.worker.scripted_smtp import Act, ScriptedSmtp


@pytest.fixture
def service(environ: dict[str, Any], tmp_path: Path) -> Iterator[Service]:
    """Processes on the same database as the application of the test."""
    folder = tmp_path / "processes"
    folder.mkdir()
    with Service(environ, folder) as service:
        yield service


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """A worker that runs in this process leaves its handlers behind."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def terminate() -> None:
    """Tell a worker that runs in this process to end, from whichever thread."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGTERM)


@contextmanager
def ending_when(happened: Callable[[], object]) -> Iterator[None]:
    """A worker that runs in here is told to end when something has happened, or has not for long."""

    def wait() -> None:
        try:
            happened()
        finally:
            terminate()

    waiting = threading.Thread(target=wait)
    waiting.start()
    yield
    waiting.join()


def started(service: Service) -> Process:
    """A worker process that has begun its work."""
    process = service.start_worker()
    wait_until(lambda: "has started" in process.log.read_text(), "the worker has started")
    return process


def test_a_process_sends_queued_letters_and_ends_at_sigterm(
    service: Service, client: FlaskClient, mailbox: Mailbox
) -> None:
    sign_up(client, ADA)
    process = started(service)
    assert mailbox.wait_for(1)

    assert process.stop() == 0

    assert events_of(client, ADA) == ["signup", "mail_sent"]
    assert "Traceback" not in service.logs()


@pytest.mark.parametrize(
    ("stage", "wait"), [("rcpt", timedelta(seconds=30)), ("data", copies.UNKNOWN_WAIT)]
)
def test_a_process_ends_while_the_mail_server_stalls(
    service: Service,
    client: FlaskClient,
    mailbox: Mailbox,
    stage: Literal["rcpt", "data"],
    wait: timedelta,
) -> None:
    stall = mailbox.stall(stage)
    sign_up(client, ADA)
    process = started(service)
    mailbox.wait_for(lambda: mailbox.connections == 1)
    assert process.stop() == 0
    stall.set()

    with time_machine.travel(datetime.now(UTC) + wait):
        another = Worker(client.application)
        another.drain()
        another.close()

    assert len(mailbox.letters) == 1
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def test_a_process_ends_while_the_mail_server_drips(
    environ: dict[str, Any], tmp_path: Path, client: FlaskClient
) -> None:
    with ScriptedSmtp({"RCPT": Act.DRIP}) as server:
        environ["SMTP_URL"] = f"smtp://127.0.0.1:{server.port}?starttls=never"
        sign_up(client, ADA)
        with Service(environ, tmp_path) as service:
            process = started(service)
            wait_until(lambda: "RCPT TO" in str(server.connections), "the letter has begun")

            assert process.stop() == 0


def alive(service: Service, client: FlaskClient) -> Process:
    """A worker process that has said so."""
    process = started(service)
    with client.application.app_context():
        wait_until(jobs.worker_is_alive, "its heart has beaten")
    return process


def test_a_process_ends_while_somebody_else_writes_for_long(
    service: Service, client: FlaskClient, database_url: str
) -> None:
    process = alive(service, client)
    file = database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        assert process.stop() == 0


@on_postgresql
def test_a_process_ends_while_the_database_is_away(
    service: Service, client: FlaskClient, database_url: str
) -> None:
    process = alive(service, client)
    server, name = database_url.rsplit("/", 1)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as staff:
        staff.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(name)))
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        staff.execute(others, [name])

    assert process.stop() == 0


@pytest.fixture
def unreleased_url(database_url: str, tmp_path: Path) -> str:
    """A database of the same kind, without any table."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/new.sqlite3"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return database_url


def test_a_process_that_starts_before_release_logs_it_once_and_waits(
    service: Service, environ: dict[str, Any], unreleased_url: str, mailbox: Mailbox
) -> None:
    process = service.start("worker", DATABASE_URL=unreleased_url)
    told = "the database has no tables yet; run `newsletter release`"
    wait_until(lambda: told in process.log.read_text(), "it waits")
    app = create_app(load({**environ, "DATABASE_URL": unreleased_url}))
    release(app)
    wait_until(lambda: "the database is back" in process.log.read_text(), "it goes on")
    sign_up(app.test_client(), ADA)

    assert mailbox.wait_for(1)
    assert "Traceback" not in service.logs()
    assert service.logs().count(told) == 1
    with app.app_context():
        db.engine.dispose()


def test_the_command_works_until_sigterm(
    app: Flask,
    environ: dict[str, Any],
    client: FlaskClient,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The fixture closes its connections, which here do not end with the process.
    monkeypatch.setattr(application, "create_core", lambda _: app)
    sign_up(client, ADA)
    with ending_when(lambda: mailbox.wait_for(1, 30)):
        result = CliRunner().invoke(main, ["worker"], env=environ)

    assert result.exit_code == 0
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def names_of_jobs(app: Flask) -> dict[str, str | None]:
    with app.app_context(), reading() as session:
        return {job.name: job.leased_by for job in session.scalars(select(Job))}


def test_a_worker_that_ends_has_no_lease(
    app: Flask, worker: Worker, client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn
) -> None:
    sign_up(client, ADA)
    worker.drain()
    confirm(client, mailbox.letters[0].message)
    with ending_when(lambda: mailchimp.wait_for(lambda: ADA.lower() in mailchimp.contacts, 30)):
        worker.run()

    names = ["audience", "letters of the hour", "reconcile", "retention", "sealing", "verify"]
    assert names_of_jobs(app) == dict.fromkeys(names)
    assert events_of(client, ADA)[-1] == "synced"


def test_a_running_worker_is_alive(app: Flask, worker: Worker) -> None:
    seen: list[bool] = []

    def look() -> bool:
        if jobs.worker_is_alive():
            seen.append(True)
            terminate()
        return not seen

    worker.loops = [Loop("look", look, 0.0)]
    worker.run()

    assert seen
    with app.app_context():
        assert not jobs.worker_is_alive()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("odd"), "odd stumbled and goes on"),
        (ProgrammingError("SELECT", {}, OSError()), "odd stumbled and goes on"),
        (OperationalError("SELECT", {}, OSError()), "the database does not answer; start it"),
        (InterfaceError("SELECT", {}, OSError()), "the database does not answer; start it"),
    ],
)
def test_a_loop_goes_on_after_any_exception(
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    said: str,
) -> None:
    monkeypatch.setattr(run, "TROUBLE_SECONDS", 0.0)
    steps = [error, True, False, None]
    worker.loops = [Loop("odd", lambda: _next(steps), 0.0)]
    worker.run()

    assert steps == []
    assert said in caplog.text


def _next(steps: list[Any]) -> bool:
    step = steps.pop(0)
    if isinstance(step, Exception):
        raise step
    if step is None:
        terminate()
    return bool(step)


def test_after_an_exception_a_loop_waits_two_seconds(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "TROUBLE_SECONDS", 0.2)
    steps: list[Any] = [ValueError("odd"), None]
    worker.loops = [Loop("odd", lambda: _next(steps), 0.0)]
    began = time.monotonic()
    worker.run()

    assert time.monotonic() - began >= 0.2


def test_a_failing_loop_does_not_stop_the_others(
    app: Flask, worker: Worker, client: FlaskClient, mailbox: Mailbox
) -> None:
    sign_up(client, ADA)
    worker.loops = [Loop("odd", lambda: _next([ValueError("odd")]), 0.0), *worker.loops]
    with ending_when(lambda: mailbox.wait_for(1, 30)):
        worker.run()

    assert len(mailbox.letters) == 1


def test_a_hanging_step_is_abandoned_and_its_lease_ends_by_itself(
    app: Flask,
    worker: Worker,
    client: FlaskClient,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "GRACE_SECONDS", 0.2)
    stall = mailbox.stall("rcpt")
    sign_up(client, ADA)
    with ending_when(lambda: mailbox.wait_for(lambda: mailbox.connections == 1, 30)):
        worker.run()

    with app.app_context(), reading() as session:
        assert session.scalars(select(Letter.leased_by)).one() is not None
    mailbox.answer_next("rcpt", None)
    stall.set()
    _join("postman")


def _join(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(30)
            assert not thread.is_alive()


def test_without_mailchimp_there_is_no_loop_for_it(environ: dict[str, Any]) -> None:
    with_it = create_app(load(environ))
    without = create_app(load({**environ, "MAILCHIMP_API_KEY": ""}))

    always = ["postman", "housekeeping", "cleaning", "retention", "sealer", "checkpoints"]
    always += ["verifier", "mail servers", "keys"]
    assert names_of_loops(Worker(with_it)) == [*always, "audience"]
    assert names_of_loops(Worker(without)) == always


def names_of_loops(worker: Worker) -> list[str]:
    worker.close()
    return [loop.name for loop in worker.loops]


@pytest.fixture
def mailchimp_loop(app: Flask, clock: Clock) -> Iterator[MailchimpLoop]:
    """Mailchimp's side of a worker that has begun a while ago."""
    mailchimp = client_for(app.extensions["settings"], Mailchimp)
    assert mailchimp is not None
    with app.app_context():
        mailchimp_loop = MailchimpLoop(mailchimp, "me")
        mailchimp_loop.step()
        yield mailchimp_loop
    mailchimp.close()


def test_a_hold_of_mailchimp_is_probed_also_if_nobody_waits(
    mailchimp_loop: MailchimpLoop, mailchimp: StandIn, clock: Clock
) -> None:
    holds.begin("mailchimp", "api_key")
    assert not mailchimp_loop.step()
    assert not mailchimp.calls

    clock.shift(PROBE_EVERY)
    mailchimp_loop.step()

    assert [call.method for call in mailchimp.calls] == ["GET"]
    assert holds.reason_of("mailchimp") is None


def test_a_probe_that_fails_keeps_the_hold(
    mailchimp_loop: MailchimpLoop, mailchimp: StandIn, clock: Clock
) -> None:
    holds.begin("mailchimp", "api_key")
    mailchimp.lose_list()
    clock.shift(PROBE_EVERY)

    mailchimp_loop.step()
    mailchimp_loop.step()

    assert holds.reason_of("mailchimp") == "list_unknown"
    assert len(mailchimp.calls) == 1


def test_a_call_for_a_waiting_person_is_the_probe_and_its_success_ends_the_hold(
    mailchimp_loop: MailchimpLoop,
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    drain: Drain,
    clock: Clock,
) -> None:
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)
    holds.begin("mailchimp", "api_key")
    clock.shift(PROBE_EVERY)

    assert mailchimp_loop.step()
    assert [call.method for call in mailchimp.calls] == ["PUT"]
    assert holds.reason_of("mailchimp") is None


def test_erasures_and_people_take_turns(
    mailchimp_loop: MailchimpLoop,
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    drain: Drain,
) -> None:
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)
    for person in (GRACE, HEDY, "joan@example.com"):
        mailchimp.add(person)
        ask_staff(client, "erasures", person)

    assert [mailchimp_loop.step(), mailchimp_loop.step()] == [True, True]
    assert ADA.lower() in mailchimp.contacts
    assert len(mailchimp.forgotten) == 1


def test_an_erasure_waits_for_no_call_that_was_answered(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    drain: Drain,
    clock: Clock,
) -> None:
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)
    clock.shift(jobs.LEASE)  # the fixture's worker has let go of Mailchimp
    leaving = LeavingMeanwhile(mailchimp, lambda: ask_staff(client, "erasures", ADA))
    with app.app_context():
        mailchimp_loop = MailchimpLoop(leaving, "me")
        assert [mailchimp_loop.step(), mailchimp_loop.step(), mailchimp_loop.step()] == [
            True,
            True,
            False,
        ]
    leaving.close()

    assert ADA.lower() in mailchimp.forgotten
    with app.app_context(), reading() as session:
        assert session.scalars(select(Erasure)).one().mailchimp_done_at is not None


def test_only_the_worker_with_the_lease_calls_mailchimp(
    mailchimp_loop: MailchimpLoop, mailchimp: StandIn, clock: Clock
) -> None:
    clock.shift(jobs.LEASE)
    assert jobs.take("audience", "another")
    holds.begin("mailchimp", "api_key")
    clock.shift(PROBE_EVERY - jobs.LEASE / 2)
    jobs.beat("another")
    clock.shift(jobs.LEASE / 2)

    assert not mailchimp_loop.step()
    assert not mailchimp.calls


@dataclass
class Hanging:
    """A loop that takes a lease and then hangs in its step, and the worker's clock."""

    worker: Worker
    seconds: list[float]
    goes_on: threading.Event
    thread: threading.Thread

    def wait(self, seconds: float) -> None:
        """Let so much time pass without a step, and the worker's heart beat."""
        self.seconds[0] += seconds
        self.worker._beat()

    def go_on(self) -> None:
        self.goes_on.set()
        self.thread.join(10)
        self.worker._beat()


@pytest.fixture
def hanging(app: Flask, clock: Clock) -> Iterator[Hanging]:
    seconds, goes_on, hangs = [0.0], threading.Event(), threading.Event()
    worker = Worker(app, lambda: seconds[0])

    def step() -> bool:
        assert jobs.take("sealing", worker._owner_of("sealer"))
        hangs.set()
        return goes_on.wait(PATIENCE)

    thread = threading.Thread(target=worker._step, args=(Loop("sealer", step, 0.0),))
    thread.start()
    assert hangs.wait(10)
    with app.app_context():
        assert jobs.take("keys", worker._owner_of("keys"))
        yield Hanging(worker, seconds, goes_on, thread)
        goes_on.set()
        thread.join(10)
    worker.close()


def test_a_loop_in_one_step_for_a_minute_is_reported_until_it_goes_on(hanging: Hanging) -> None:
    hanging.wait(run.STALLED_SECONDS - 1)
    before = noticed()
    hanging.wait(1)
    meanwhile = noticed()
    hanging.go_on()

    assert (before, meanwhile, noticed()) == ([], ["no step for a minute: sealer"], [])


def test_the_notice_about_a_loop_ends_with_its_worker(hanging: Hanging, clock: Clock) -> None:
    hanging.wait(run.STALLED_SECONDS)
    clock.shift(jobs.LEASE)

    assert noticed() == []


def test_a_loop_that_hangs_loses_its_lease_and_the_others_keep_theirs(
    hanging: Hanging, clock: Clock
) -> None:
    hanging.wait(run.LONGEST_STEP_SECONDS - 1)
    clock.shift(jobs.LEASE - timedelta(seconds=1))
    hanging.wait(1)
    clock.shift(timedelta(seconds=1))

    assert jobs.take("sealing", "another")
    assert not jobs.take("keys", "another")
    assert jobs.worker_is_alive()
