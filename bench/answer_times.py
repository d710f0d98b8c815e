"""Does the time of an answer tell whether an address is known? `python -m bench.answer_times [database URL]`

Signs up 500 addresses of each kind (new, pending, confirmed, blocked, erased), in turns so that a slow moment of the
machine hits all alike, against real processes, and prints the medians.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import COMPANY
from tests.journey.service import Service, running, wait_until
from tests.people import link_in

ROUNDS = 500
KINDS = ("new", "pending", "confirmed", "blocked", "erased")


def prepare(service: Service, mailbox: Mailbox, kind: str, count: int) -> list[str]:
    """Addresses that stand as they should."""
    people = [f"{kind}-{number}@example.com" for number in range(count)]
    if kind == "new":
        return people
    for person in people:
        service.sign_up(person)
    if kind in ("confirmed", "blocked"):
        wait_until(
            lambda: all(mailbox.letters_to(person) for person in people),
            "all have letters",
            patience=300,
        )
        for person in people:
            service.press(link_in(mailbox.letters_to(person)[0].message))
    if kind == "blocked":
        for person in people:
            service.staff("blocks", person, reason="unsubscribed")
    if kind == "erased":
        for person in people:
            service.staff("erasures", person)
    return people


def measure(service: Service, people: dict[str, list[str]]) -> dict[str, float]:
    """Milliseconds, the median of each kind."""
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(ROUNDS):
        for kind in KINDS:
            started = time.perf_counter()
            status = service.sign_up(people[kind][number % len(people[kind])])
            taken[kind].append((time.perf_counter() - started) * 1000)
            assert status == 202
    return {kind: statistics.median(times) for kind, times in taken.items()}


def main() -> None:
    """Prepare, measure, print."""
    with tempfile.TemporaryDirectory() as folder, Mailbox() as mailbox, StandIn() as mailchimp:
        environ: dict[str, Any] = {
            **COMPANY,
            "DATABASE_URL": sys.argv[1] if sys.argv[1:] else f"sqlite:///{folder}/bench.sqlite3",
            "SMTP_URL": mailbox.smtp_url,
            "MAILCHIMP_API_KEY": mailchimp.api_key,
            "MAILCHIMP_LIST_ID": mailchimp.list_id,
            "MAILCHIMP_API_URL": mailchimp.api_url,
        }
        with running(environ, Path(folder)) as service:
            people = {kind: prepare(service, mailbox, kind, ROUNDS) for kind in KINDS}
            service.processes[-1].stop()
            medians = measure(service, people)
        middle = statistics.median(medians.values())
        for kind, median in medians.items():
            print(f"{kind:10} {median:7.2f} ms {median / middle - 1:+7.1%}")


if __name__ == "__main__":
    main()
