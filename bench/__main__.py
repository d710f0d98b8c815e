"""`python -m bench`: throughput beside a bare Flask view and django-newsletter, in one run on this machine.

Prints the tables in Markdown that bench/README.md holds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg

from bench import contenders, letters, wrk
from bench.contenders import Contender, Ours
from bench.usage import Usage
from bench.wrk import Outcome
from tests import postgres

_WARM_UP = 2  #: seconds
ROUNDS = 3
_HEAD = """\
| {what} | a second | of the bare view | times the peer | p50 ms | p99 ms | CPU ms each | MB a process |
| --- | --: | --: | --: | --: | --: | --: | --: |"""


@dataclass
class Figures:
    """The measurements of one contender, in several rounds."""

    contender: Contender
    outcomes: list[Outcome] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  #: milliseconds of a core for each request
    memory: float = 0.0

    def measure(self, load: Callable[[], Outcome]) -> None:
        """One round; raise RuntimeError if not everything was answered with success."""
        before = Usage.of(self.contender.pid)
        outcome = load()
        used = Usage.of(self.contender.pid) - before
        if outcome.refused or outcome.broken or outcome.late:
            raise RuntimeError(f"{self.contender.name}: {outcome}")
        self.outcomes.append(outcome)
        self.cpu.append(used.cpu * 1000 / outcome.requests)
        self.memory = used.memory

    def row(self, bare: Figures, peer: Figures | None) -> str:
        """A row of the table."""
        middle = statistics.median
        shown = [
            self.contender.name,
            f"{middle(each.per_second for each in self.outcomes):.0f}",
            f"{self._times(bare):.3f}",
            f"{self._times(peer):.2f}" if peer else "",
            f"{middle(each.p50 for each in self.outcomes):.1f}",
            f"{middle(each.p99 for each in self.outcomes):.1f}",
            f"{middle(self.cpu):.2f}",
            f"{self.memory:.0f}",
        ]
        return f"| {' | '.join(shown)} |"

    def _times(self, other: Figures) -> float:
        """In turns, so that a slow moment of the machine affects both."""
        rounds = zip(self.outcomes, other.outcomes, strict=True)
        return statistics.median(mine.per_second / its.per_second for mine, its in rounds)


def measure_sign_ups(everybody: Sequence[Figures], seconds: float) -> None:
    """Measure sign-ups in several rounds, the contenders by turns."""

    def load(figures: Figures, prefix: str, seconds: float) -> Outcome:
        it = figures.contender
        return wrk.for_seconds(
            it.port, seconds, it.path, it.body.replace("%s", f"{prefix}-%s"), it.headers
        )

    for figures in everybody:
        load(figures, "warm", _WARM_UP)
    for number in range(ROUNDS):
        for figures in everybody:
            _say(f"sign-ups, round {number + 1} of {ROUNDS}: {figures.contender.name}")
            figures.measure(partial(load, figures, str(number), seconds))


def measure_confirmations(everybody: Sequence[Figures], folder: Path) -> None:
    """Have all letters sent; then measure confirmations likewise."""
    links = []
    for figures in everybody:
        _say(f"letters: {figures.contender.name}")
        links.append(figures.contender.confirmations())
    for number in range(ROUNDS):
        for figures, requests in zip(everybody, links, strict=True):
            _say(f"confirmations, round {number + 1} of {ROUNDS}: {figures.contender.name}")
            it, part = figures.contender, requests[number::ROUNDS]
            headers = it.headers if it.is_peer else contenders.FORM
            figures.measure(partial(wrk.each, it.port, part, folder / "requests", headers))


def table(what: str, everybody: Sequence[Figures]) -> str:
    """The bare view first; the peer's figures are of the same database."""
    bare = everybody[0]
    peers = {_database(each): each for each in everybody if each.contender.is_peer}
    rows = [each.row(bare, peers.get(_database(each))) for each in everybody]
    return "\n".join([_HEAD.format(what=what), *rows, ""])


def _database(figures: Figures) -> str:
    return figures.contender.name.rpartition(", ")[2]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def everybody(folder: Path, django: Path) -> Iterator[list[Contender]]:
    """All contenders, each with a database of its own."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres.running(durable=True))
        yield [
            stack.enter_context(each)
            for each in (
                contenders.bare(),
                contenders.ours(
                    "newsletter, SQLite", f"sqlite:///{folder}/ours.sqlite3", folder / "a"
                ),
                contenders.ours("newsletter, PostgreSQL", _new_database(server), folder / "b"),
                contenders.django_newsletter(
                    "django-newsletter, SQLite", f"{folder}/django.sqlite3", folder / "c", django
                ),
                contenders.django_newsletter(
                    "django-newsletter, PostgreSQL", _new_database(server), folder / "d", django
                ),
            )
        ]


def _new_database(server: str) -> str:
    name = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server}/{name}"


def main() -> None:
    """Measure all contenders, and print the tables."""
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--seconds", type=float, default=8, help="of a round (%(default)s)")
    arguments.add_argument("--django", type=Path, default=Path("var/bench-django"))
    given = arguments.parse_args()
    wrk.demand()
    django = given.django.absolute()
    contenders.make_django_environment(django)
    with tempfile.TemporaryDirectory() as name, everybody(Path(name), django) as people:
        folder = Path(name)
        sign_ups, confirmations = ([Figures(each) for each in people] for _ in range(2))
        measure_sign_ups(sign_ups, given.seconds)
        print(table("sign-ups", sign_ups), flush=True)
        measure_confirmations(confirmations, folder)
        print(table("confirmations", confirmations))
        print(letters.HEAD)
        for each in people:
            if isinstance(each, Ours) and each.letters:
                print(each.letters.row(f"{each.name}, one worker"))
        print(letters.plain_row(folder))


if __name__ == "__main__":
    main()
