"""`python -m bench`: throughput beside a bare Flask view and django-newsletter, in one run on this machine.

Prints the tables in Markdown that bench/README.md holds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench import contenders, load
from bench.contenders import Contender, Ours
from tests import postgres

_WARM_UP = 100
ROUNDS = 5
_HEAD = """\
| | sign-ups/s | of the bare view | p50 ms | p99 ms | confirmations/s | of the bare view | p50 ms | p99 ms | web MB |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |"""


@dataclass
class Figures:
    """The measurements of one contender, in several rounds."""

    name: str
    contender: Contender
    sign_ups: list[load.Outcome] = field(default_factory=list)
    confirmations: list[load.Outcome] = field(default_factory=list)

    def row(self, bare: Figures) -> str:
        """A row of the table, compared with the bare view."""
        shown = [self.name]
        for rounds, least in (
            (self.sign_ups, bare.sign_ups),
            (self.confirmations, bare.confirmations),
        ):
            # In turns, so that a slow moment of the machine affects all contenders.
            shares = [
                mine.per_second / its.per_second for mine, its in zip(rounds, least, strict=True)
            ]
            every = load.together(rounds)
            shown.append(f"{statistics.median(each.per_second for each in rounds):.0f}")
            shown.append(f"{statistics.median(shares):.3f}")
            shown += [f"{every.percentile(0.5):.1f}", f"{every.percentile(0.99):.1f}"]
        return f"| {' | '.join(shown)} | {contenders.memory(self.contender.pid):.0f} |"


def measure(everybody: Sequence[Figures], people: Sequence[str]) -> None:
    """Measure sign-ups in several rounds, the contenders in turn; then confirmations likewise."""
    for figures in everybody:
        strangers = [f"warm-{number}@example.com" for number in range(_WARM_UP)]
        _load(figures.contender.port, figures.contender.sign_ups(strangers))
    parts = [people[start::ROUNDS] for start in range(ROUNDS)]
    for number, part in enumerate(parts, start=1):
        print(f"sign-ups, round {number} of {ROUNDS}", file=sys.stderr, flush=True)
        for figures in everybody:
            requests = figures.contender.sign_ups(part)
            figures.sign_ups.append(_load(figures.contender.port, requests))
    print("letters", file=sys.stderr, flush=True)
    presses = [figures.contender.confirmations(people) for figures in everybody]
    for number in range(ROUNDS):
        print(f"confirmations, round {number + 1} of {ROUNDS}", file=sys.stderr, flush=True)
        for figures, requests in zip(everybody, presses, strict=True):
            part_of_all = requests[number::ROUNDS]
            figures.confirmations.append(_load(figures.contender.port, part_of_all))


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
    """Measure all contenders, and print the tables."""
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--people", type=int, default=2000, help="how many (%(default)s)")
    arguments.add_argument("--django", type=Path, default=Path("var/bench-django"))
    given = arguments.parse_args()
    django = given.django.absolute()
    contenders.make_django_environment(django)
    people = [f"person-{number}@example.com" for number in range(given.people)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.running(durable=True))
        sqlite_file = f"sqlite:///{folder}/ours.sqlite3"
        everybody = [
            Figures(name, stack.enter_context(contender))
            for name, contender in (
                ("a bare Flask view", contenders.bare()),
                ("newsletter, SQLite", contenders.ours(sqlite_file, folder / "a")),
                ("newsletter, PostgreSQL", contenders.ours(_new_database(server), folder / "b")),
                (
                    "django-newsletter, SQLite",
                    contenders.django_newsletter(f"{folder}/django.sqlite3", django),
                ),
                (
                    "django-newsletter, PostgreSQL",
                    contenders.django_newsletter(_new_database(server), django),
                ),
            )
        ]
        measure(everybody, people)
        print(_HEAD, *(each.row(everybody[0]) for each in everybody), "", sep="\n")
        for figures in everybody:
            if isinstance(figures.contender, Ours):
                print(
                    f"{figures.name}: {figures.contender.letters_per_second:.0f} letters a second by"
                    f" one worker, which holds {figures.contender.worker_memory:.0f} MB.",
                )


if __name__ == "__main__":
    main()
