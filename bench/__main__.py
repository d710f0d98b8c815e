"""How fast it is: `python -m bench`, beside a bare Flask view and django-newsletter, in one run on this machine.

Prints the tables in Markdown that bench/README.md holds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import contenders, load
from bench.contenders import Contender, Ours
from tests import postgres

_WARM_UP = 100
_HEAD = """\
| | sign-ups/s | of the bare view | p50 ms | p99 ms | confirmations/s | of the bare view | p50 ms | p99 ms | web MB |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |"""


@dataclass
class Figures:
    """What was measured of one contender."""

    name: str
    sign_ups: load.Outcome
    confirmations: load.Outcome
    megabytes: float
    worker: str = ""

    def row(self, floor: float) -> str:
        """A line of the table; `floor` is the bare view's answers a second."""
        shown = [self.name]
        for outcome in (self.sign_ups, self.confirmations):
            shown += [f"{outcome.per_second:.0f}", f"{outcome.per_second / floor:.3f}"]
            shown += [f"{outcome.percentile(0.5):.1f}", f"{outcome.percentile(0.99):.1f}"]
        return f"| {' | '.join(shown)} | {self.megabytes:.0f} |"


def measure(
    name: str, contender: AbstractContextManager[Contender], people: Sequence[str]
) -> Figures:
    """Sign everybody up, then confirm everybody."""
    with contender as present:
        strangers = [f"warm-{number}@example.com" for number in range(_WARM_UP)]
        _load(present.port, present.sign_ups(strangers))
        signed_up = _load(present.port, present.sign_ups(people))
        confirmed = _load(present.port, present.confirmations(people))
        figures = Figures(name, signed_up, confirmed, contenders.memory(present.pid))
        if isinstance(present, Ours):
            figures.worker = (
                f"{name}: {present.letters_per_second:.0f} letters a second by one worker, "
                f"which holds {present.worker_memory:.0f} MB."
            )
    print(figures.row(floor=1), file=sys.stderr, flush=True)
    return figures


def _load(port: int, requests: list[bytes]) -> load.Outcome:
    outcome = load.run(port, requests)
    if set(outcome.statuses) - {200, 202, 302}:
        raise RuntimeError(f"not everything was answered with success: {outcome.statuses}")
    return outcome


def _new_database(server: str) -> str:
    name = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server}/{name}"


def main() -> None:
    """Measure everybody in turn, the bare view first and last, and print the tables."""
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--people", type=int, default=2000, help="how many (%(default)s)")
    arguments.add_argument("--django", type=Path, default=Path("var/bench-django"))
    given = arguments.parse_args()
    django = given.django.absolute()
    contenders.make_django_environment(django)
    people = [f"person-{number}@example.com" for number in range(given.people)]
    with tempfile.TemporaryDirectory() as name, postgres.running(durable=True) as server:
        folder = Path(name)
        ours, django_newsletter = contenders.ours, contenders.django_newsletter
        file = f"{folder}/django.sqlite3"
        figures = [
            measure("a bare Flask view", contenders.bare(), people),
            measure("newsletter, SQLite", ours(f"sqlite:///{folder}/ours.sqlite3", folder), people),
            measure("newsletter, PostgreSQL", ours(_new_database(server), folder), people),
            measure("django-newsletter, SQLite", django_newsletter(file, django), people),
            measure(
                "django-newsletter, PostgreSQL",
                django_newsletter(_new_database(server), django),
                people,
            ),
            measure("a bare Flask view, again", contenders.bare(), people),
        ]
    floor = (figures[0].sign_ups.per_second + figures[-1].sign_ups.per_second) / 2
    print(_HEAD, *(each.row(floor) for each in figures), sep="\n")
    print("", *(each.worker for each in figures if each.worker), sep="\n")


if __name__ == "__main__":
    main()
