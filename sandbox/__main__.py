"""`python -m sandbox`: the whole service on this machine, with everything that it needs.

Starts a mailbox and a stand-in Mailchimp, then what the Procfile says, and ends it all together.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from sandbox.environment import (
    API_KEY,
    LIST_ID,
    checkpoints_of,
    environment,
    secrets_in,
    settings_in,
)
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.pages import Pages, create_pages
from sandbox.processes import Ended, Interrupted, Processes, lines_in
from sandbox.tour.pages import PRETTY
from sandbox.tour.service import Service

START_SECONDS = 60.0
LAST_LINES = 20
TOUR = """
The newsletter service is running on this machine; nothing leaves it.

  Start here     {pages}/

  It walks one person from sign-up to erasure, and shows every call. Or go by yourself:

  Sign-up form   {service}/
  Mailbox        {pages}/mailbox
  Mailchimp      {pages}/contacts
  Desk of staff  {service}/desk (token: {token})

  What is held about somebody, and why:
  {curl} -H 'Content-Type: application/json' \\
    -d '{{"email": "ada@example.com"}}' {service}/admin/access \\
    | {pretty}

  Erase them (the answer names an id):
  {curl} -H 'Content-Type: application/json' \\
    -d '{{"email": "ada@example.com"}}' {service}/admin/erasures \\
    | {pretty}

  How far that is:
  {curl} \\
    {service}/admin/erasures/ID \\
    | {pretty}

  The processes’ log is in {log}. Ctrl-C ends it all.
"""


def main() -> int:
    """Run until a signal (exit status 0) or until a process ends by itself (1)."""
    arguments = _arguments()
    _print_settings()
    log: Path | None = None
    try:
        with only_run_in(arguments.folder / "var"), surroundings(arguments) as (processes, places):
            log = processes.log
            _listen_to_signals(processes)
            _start(processes, lines_in(arguments.folder / "Procfile"))
            wait_for_health(f"{places['service']}/health", processes)
            print(TOUR.format(**places), flush=True)
            processes.wait()
    except Interrupted:
        return 0
    except (Ended, OSError, TimeoutError) as problem:
        print(f"\n{_end_of(log)}sandbox: {problem}; everything is stopped.", file=sys.stderr)
    return 1


def _print_settings() -> None:
    taken, ignored = settings_in(os.environ)
    if taken:
        print(f"sandbox: taken from the environment: {', '.join(taken)}.", flush=True)
    if ignored:
        print(f"sandbox: ignored in the environment: {', '.join(ignored)}.", flush=True)


def _end_of(log: Path | None) -> str:
    """The end of the processes' log, and its file."""
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:] if log else []
    return "\n".join([*lines, f"(the end of {log})", ""]) if lines else ""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    port = os.environ.get("PORT") or "8000"
    parser.add_argument("--port", type=int, default=port, help="the service's (%(default)s)")
    parser.add_argument("--pages", type=int, default="8025", help="the mailbox's (%(default)s)")
    parser.add_argument(
        "--folder", type=Path, default=Path.cwd(), help="holds Procfile and var/ (this one)"
    )
    return parser.parse_args()


@contextmanager
def only_run_in(var: Path) -> Iterator[None]:
    """Hold the files of a run; end the process if another run has them."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "sandbox.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"sandbox: another run uses {var}: end it first.") from None
        yield


@contextmanager
def surroundings(asked: argparse.Namespace) -> Iterator[tuple[Processes, dict[str, str]]]:
    """Start mailbox, Mailchimp and pages; yield the processes, not started yet, and all URLs."""
    var = asked.folder / "var"
    own = secrets_in(var / "sandbox.env")
    service, pages = free_port(asked.port), free_port(asked.pages)
    token = own["ADMIN_TOKENS"].partition(":")[2]
    places = {
        "service": f"http://localhost:{service}",
        "pages": f"http://localhost:{pages}",
        "token": token,
        "curl": f"curl -sS -H 'Authorization: Bearer {token}'",
        "pretty": PRETTY,
        "log": str(var / "sandbox.log"),
    }
    mailchimp = StandIn(API_KEY, LIST_ID, file=var / "sandbox-mailchimp.json")
    mailchimp.signing_secret = own["MAILCHIMP_SIGNING_SECRET"]
    secret = own["MAILCHIMP_WEBHOOK_SECRET"]
    mailchimp.webhook_url = f"{places['service']}/webhooks/mailchimp/{secret}"
    with Mailbox() as mailbox, mailchimp, ExitStack() as stack:
        tour = Service(places["service"], token, (var / "sandbox.env").resolve())
        served = Pages(create_pages(mailchimp, mailbox, tour))
        served.start(pages)
        stack.callback(served.stop)
        urls = {"smtp": mailbox.smtp_url, "api": mailchimp.api_url}
        database = var / "sandbox.sqlite3"
        if not database.exists():
            # The checkpoints of an earlier database would make a new one look like a restored backup.
            shutil.rmtree(checkpoints_of(database), ignore_errors=True)
        checkpoints_of(database).mkdir(parents=True, exist_ok=True)
        environ = environment(
            os.environ, own, service=service, pages=pages, database=database, **urls
        )
        processes = Processes(environ, asked.folder, var / "sandbox.log")
        stack.callback(processes.stop)
        yield processes, places


def _listen_to_signals(processes: Processes) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: processes.interrupt())


def _start(processes: Processes, commands: Mapping[str, str]) -> None:
    processes.run("release", commands["release"])
    for name in ("web", "worker"):
        processes.start(name, commands[name])


def free_port(wanted: int) -> int:
    """The wanted port; if it is taken, another one, which is printed."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", wanted))
        except OSError:
            probe.bind(("", 0))
        port = int(probe.getsockname()[1])
    if wanted not in (0, port):
        print(f"sandbox: port {wanted} is taken, using {port} instead.", flush=True)
    return port


def wait_for_health(url: str, processes: Processes) -> None:
    """Wait until the service answers; raise TimeoutError after a minute, Ended or Interrupted earlier."""
    deadline = time.monotonic() + START_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        with suppress(OSError), opener.open(url, timeout=2):
            return
        processes.wait(0.1)
    raise TimeoutError(f"nothing answered at {url}")


if __name__ == "__main__":
    sys.exit(main())
