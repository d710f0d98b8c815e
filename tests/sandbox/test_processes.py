"""Starting what a Procfile says, and ending it without remains."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.processes import Ended, Interrupted, Processes, as_one_process, lines_in
from tests.patience import PATIENCE

FOREVER = "sleep 60"


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    environ = {"PATH": os.environ["PATH"], "GREETING": "hello"}
    running = Processes(environ, tmp_path, tmp_path / "log", patience=0.2)
    yield running
    running.stop()


def await_that(holds: Callable[[], object]) -> None:
    """Look until it holds, for half a minute at most."""
    pause = threading.Event()
    assert any(holds() or pause.wait(0.05) for _ in range(1200))


def is_gone(group: int) -> bool:
    """Tell whether nobody is left in a process group."""
    try:
        os.killpg(group, signal.SIGCONT)
    except ProcessLookupError:
        return True
    return False


def test_a_procfile_names_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "Procfile"
    file.write_text("# three: lines\nrelease: one\n\nweb: two --bind 0.0.0.0:$PORT\n")

    assert lines_in(file) == {"release": "one", "web": "two --bind 0.0.0.0:$PORT"}


def test_a_line_is_the_shells_with_the_environment_alone(
    processes: Processes, tmp_path: Path
) -> None:
    processes.run("release", "env > env.txt && echo $GREETING > greeting.txt")

    names = {line.partition("=")[0] for line in (tmp_path / "env.txt").read_text().splitlines()}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "GREETING"}
    assert (tmp_path / "greeting.txt").read_text() == "hello\n"


def test_a_line_that_fails_says_how(processes: Processes) -> None:
    with pytest.raises(Ended, match="release ended by itself with exit status 3"):
        processes.run("release", "exit 3")


def test_a_line_that_is_called_off_is_not_waited_for(processes: Processes) -> None:
    processes.interrupt()

    with pytest.raises(Interrupted):
        processes.run("release", FOREVER)


def test_a_process_that_ends_by_itself_ends_the_waiting(processes: Processes) -> None:
    processes.start("web", FOREVER)
    processes.start("worker", "exit 0")

    with pytest.raises(Ended, match="worker ended by itself with exit status 0"):
        processes.wait(PATIENCE)


def test_a_killed_process_is_named_with_its_signal(processes: Processes) -> None:
    processes.start("web", "kill -9 $$")

    with pytest.raises(Ended, match="web ended by signal 9"):
        processes.wait(PATIENCE)


def test_waiting_has_an_end(processes: Processes) -> None:
    processes.start("web", FOREVER)

    processes.wait(0.01)


def test_calling_off_ends_the_waiting(processes: Processes) -> None:
    threading.Timer(0.05, processes.interrupt).start()

    with pytest.raises(Interrupted):
        processes.wait(PATIENCE)


@pytest.mark.parametrize("command", ["exec sleep 60", "trap '' TERM; sleep 60 & wait; wait"])
def test_stopping_leaves_no_process_behind(
    processes: Processes, tmp_path: Path, command: str
) -> None:
    processes.start("web", f"echo $$ > pid; {command}")
    file = tmp_path / "pid"
    await_that(lambda: file.exists() and file.read_text().strip())
    group = int(file.read_text())

    processes.stop()

    await_that(lambda: is_gone(group))


def test_the_children_of_a_line_end_with_it(processes: Processes, tmp_path: Path) -> None:
    processes.start("web", "sleep 60 & sleep 60 & echo $$ > pid; exit 1")
    file = tmp_path / "pid"
    await_that(lambda: file.exists() and file.read_text().strip())

    processes.stop()

    await_that(lambda: is_gone(int(file.read_text())))


@pytest.mark.parametrize(
    ("command", "shells"),
    [
        ("sleep 60", "exec sleep 60"),
        ("sleep 'a && b (c)' > file", "exec sleep 'a && b (c)' > file"),
        ("sleep 1 && sleep 2", "sleep 1 && sleep 2"),
        ("sleep 1; sleep 2", "sleep 1; sleep 2"),
        ("A=1 sleep 1", "A=1 sleep 1"),
        ("exit 3", "exit 3"),
    ],
)
def test_a_single_program_takes_its_shells_place(command: str, shells: str) -> None:
    assert as_one_process(command, "/usr/bin:/bin") == shells


def test_a_child_has_no_terminal_to_read_from(processes: Processes, tmp_path: Path) -> None:
    processes.run("release", "cat > read.txt")

    assert (tmp_path / "read.txt").read_text() == ""


def test_the_output_of_all_lines_is_in_one_log(processes: Processes) -> None:
    processes.run("release", "echo released")
    processes.run("web", "echo listening >&2")

    assert processes.log.read_text() == "released\nlistening\n"


def test_a_log_begins_empty(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("of yesterday\n")

    Processes({}, tmp_path, log)

    assert log.read_text() == ""
