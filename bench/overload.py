"""Ten times what the service can carry, for 30 seconds: `python -m bench.overload [sqlite|postgresql]`

Prints how many were answered how, and the longest wait; then whether everybody who was answered 202 is there, and how
soon the service is itself again. Exit status 1 if anybody is lost, or it takes longer than ten seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
import requests
from sqlalchemy import create_engine, text

from bench import wrk
from bench.contenders import JSON
from tests import postgres
from tests.conftest import COMPANY
from tests.journeys.service import running

SECONDS = 30
BODY = '{"email": "%s@example.com"}'
ENOUGH = 10.0  #: seconds until it is itself again
QUICK = 1.0  #: seconds of an answer


def overload(url: str, folder: Path) -> bool:
    """Whether nobody was lost and it was itself again in time."""
    environ = {**COMPANY, "DATABASE_URL": url, "CLIENT_LIMIT": "off", "WEB_CONCURRENCY": "2"}
    environ["SMTP_URL"] = "smtp://127.0.0.1:9?starttls=never"  # nobody is there: letters wait
    with running(environ, folder, workers=0) as service:
        port = service.ports[0]

        def load(seconds: int, connections: int, name: str) -> wrk.Outcome:
            body = BODY.replace("%s", f"{name}-%s")
            return wrk.for_seconds(port, seconds, "/subscriptions", body, JSON, connections)

        usual = load(5, wrk.CONNECTIONS, "usual")
        # As many wait at a time as are answered in ten seconds.
        crowd = int(usual.per_second * 10)
        print(f"{usual.per_second:.0f} a second as a rule; now {crowd} callers at once", flush=True)
        much = load(SECONDS, crowd, "much")
        began = time.monotonic()
        while not _answers_quickly(port):
            if time.monotonic() - began > ENOUGH:
                break
        recovered = time.monotonic() - began
        accepted = usual.requests - usual.refused + much.requests - much.refused
        kept = _count(url)
    print(
        f"202: {much.requests - much.refused}, 429 or 503: {much.refused}, broken: {much.broken}, "
        f"no answer in 15 s: {much.late}; half within {much.p50 / 1000:.1f} s, 99 % within "
        f"{much.p99 / 1000:.1f} s, longest {much.longest / 1000:.1f} s"
    )
    print(f"{accepted} accepted, {kept} kept; itself again after {recovered:.1f} s")
    return kept >= accepted and recovered <= ENOUGH


def _answers_quickly(port: int) -> bool:
    began = time.monotonic()
    try:
        answer = requests.post(
            f"http://127.0.0.1:{port}/subscriptions",
            json={"email": "after@example.com"},
            timeout=QUICK,
        )
    except requests.RequestException:
        return False
    return answer.status_code == 202 and time.monotonic() - began < QUICK


def _count(url: str) -> int:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM subscription")).scalar_one())


def main() -> int:
    wrk.demand()
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url = f"sqlite:///{folder}/newsletter.sqlite3"
        if kind == "postgresql":
            server = stack.enter_context(postgres.running(durable=True))
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE overload")
            url = f"{server}/overload"
        return 0 if overload(url, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
