"""The table in which the web processes of a host count clients."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from newsletter.web.http.shared_counts import Table

NOW = 1_800_000_000


def take(table: Table, client: str, times: int = 1, now: int = NOW) -> list[bool]:
    return [table.count(client, 2, 600, now) for _ in range(times)]


def in_another_process(act: Callable[..., object], *arguments: object) -> int:
    """Run something in a process that was forked from this one; its exit status."""
    child = os.fork()
    if not child:
        status = 1
        try:
            act(*arguments)
            status = 0
        finally:
            # Whatever else this process would do at its end belongs to the tests.
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_process_counts_what_another_one_took() -> None:
    table = Table(2)
    assert in_another_process(take, table, "ada") == 0

    assert take(table, "ada", 2) == [True, False]


def test_a_process_that_is_killed_while_it_counts_keeps_nobody_waiting() -> None:
    table = Table(2)

    def die_inside() -> None:
        with table._locked(table._place("ada")[1]):
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_another_process(die_inside) == -signal.SIGKILL
    assert take(table, "ada") == [True]


def test_requests_count_for_as_long_as_the_limit_says() -> None:
    table = Table(2)
    take(table, "ada")
    take(table, "ada", now=NOW + 300)

    assert take(table, "ada", now=NOW + 599) == [False]
    assert take(table, "ada", 2, now=NOW + 600) == [True, False]


def test_many_clients_take_no_more_room_and_push_out_the_one_that_was_silent_longest() -> None:
    table = Table(2, room=256)  # two buckets
    size = len(table._memory)
    for number in range(100):
        take(table, f"client {number}", 2, now=NOW + number)

    assert len(table._memory) == size
    assert take(table, "client 99", now=NOW + 100) == [False]
    assert take(table, "client 0", now=NOW + 100) == [True]
