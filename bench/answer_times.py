"""Does the time of an answer tell whether an address is known? `python -m bench.answer_times [database URL]`

Sends 500 addresses of each kind to each public endpoint that takes an address, in turns, so that a slow moment of the
machine affects all kinds alike, to real processes, and prints the medians.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from newsletter.app import create_core
from newsletter.config import load
from newsletter.storage.database import writing
from newsletter.storage.models import Quota
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import COMPANY
from tests.journeys.service import Service, running, wait_until
from tests.people import link_in

ROUNDS = 500
#: The addresses given to each endpoint. At /my-data, the pending, confirmed, blocked and bare get a letter.
KINDS = {
    "/subscriptions": ("new", "pending", "confirmed", "blocked", "erased"),
    "/my-data": ("unknown", "pending", "confirmed", "blocked", "bare", "held", "erased"),
}


def prepare(service: Service, mailbox: Mailbox, endpoint: str, kind: str, count: int) -> list[str]:
    """Addresses with the wanted statuses."""
    people = [f"{kind}-{number}{endpoint.replace('/', '-')}@example.com" for number in range(count)]
    if kind in ("new", "unknown"):
        return people
    for person in people:
        service.sign_up(person)
    if kind in ("confirmed", "blocked", "held"):
        wait_until(
            lambda: all(mailbox.letters_to(person) for person in people),
            "all have letters",
            patience=300,
        )
        for person in people:
            service.press(link_in(mailbox.letters_to(person)[0].message))
    for person in people:
        match kind:
            case "blocked" | "bare":
                service.staff("blocks", person, reason="unsubscribed")
            case "held":
                service.staff("holds", person, hold=True)
            case "erased":
                service.staff("erasures", person)
            case _:
                pass
    return people


def forget_letters(environ: dict[str, Any]) -> None:
    """Move all letters into the past, so that no limit applies."""
    with create_core(load(environ)).app_context(), writing() as session:
        session.execute(delete(Quota))


def measure(service: Service, endpoint: str, people: dict[str, list[str]]) -> dict[str, float]:
    """The median of each kind, in milliseconds."""
    taken: dict[str, list[float]] = {kind: [] for kind in people}
    url = service.url(endpoint)
    for number in range(ROUNDS):
        for kind, addresses in people.items():
            started = time.perf_counter()
            answer = service.http.post(url, json={"email": addresses[number]}, timeout=30)
            taken[kind].append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 202
    return {kind: statistics.median(times) for kind, times in taken.items()}


def main() -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as folder, Mailbox() as mailbox, StandIn() as mailchimp:
        environ: dict[str, Any] = {
            **COMPANY,
            "DATABASE_URL": sys.argv[1] if sys.argv[1:] else f"sqlite:///{folder}/bench.sqlite3",
            "SMTP_URL": mailbox.smtp_url,
            "LETTERS_PER_HOUR": "1000000",
            "MAILCHIMP_API_KEY": mailchimp.api_key,
            "MAILCHIMP_LIST_ID": mailchimp.list_id,
            "MAILCHIMP_API_URL": mailchimp.api_url,
        }
        with running(environ, Path(folder)) as service:
            asked = {
                endpoint: {
                    kind: prepare(service, mailbox, endpoint, kind, ROUNDS) for kind in kinds
                }
                for endpoint, kinds in KINDS.items()
            }
            service.processes[-1].stop()
            medians = {
                "/subscriptions": measure(service, "/subscriptions", asked["/subscriptions"])
            }
            forget_letters(environ)
            medians["/my-data"] = measure(service, "/my-data", asked["/my-data"])
        for endpoint, of_endpoint in medians.items():
            middle = statistics.median(of_endpoint.values())
            print(endpoint)
            for kind, median in of_endpoint.items():
                print(f"  {kind:10} {median:7.2f} ms {median / middle - 1:+7.1%}")


if __name__ == "__main__":
    main()
