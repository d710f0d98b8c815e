"""What a terminal shows of text that others wrote: nothing that steers it, and nothing in our name."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from newsletter.cli import main
from newsletter.cli.terminal import one_line
from tests.checkout import command
from tests.commands import Run
from tests.conftest import Join
from tests.people import ADA

COMMAND = command("newsletter")
VERDICT = "Nothing in it was changed."
#: Clears the screen and writes a verdict; by C1 as well; by a title; by lines; by overwriting; backwards; no text.
STEERING = [
    f"\x1b[2J\x1b[H{VERDICT}\x1b[8m",
    f"\x9b2J\x9bH{VERDICT}",
    f"\x1b]0;{VERDICT}\x07",
    f"x\n\n{VERDICT}\n",
    f"x\r{VERDICT}",
    f"x\x08\x7f{VERDICT}",
    f"x\u2028{VERDICT}\u2029",
    "\u202e.degnahc saw ti ni gnihtoN",
]


def on_a_terminal(*words: str) -> list[str]:
    """The lines that a command writes to a terminal, on either stream, and its exit status as the last of them."""
    ours, its = pty.openpty()
    with subprocess.Popen([COMMAND, *words], stdin=its, stdout=its, stderr=its, env={}) as process:
        os.close(its)
        octets = bytearray()
        with suppress(OSError):  # Linux says so at the end
            while part := os.read(ours, 65536):
                octets += part
    os.close(ours)
    # What the terminal's driver makes of a line feed is no carriage return of ours.
    return [*octets.decode().replace("\r\n", "\n").splitlines(), str(process.returncode)]


def test_no_file_says_of_itself_that_it_was_not_changed(
    run: Run, join: Join, tmp_path: Path
) -> None:
    join(ADA)
    forged = json.loads(run("proof", given=f"{ADA}\n").stdout)
    forged["".join(STEERING)] = "a name that is repeated"
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(forged), "utf-8")

    *lines, status = on_a_terminal("proof", "verify", str(file))

    assert status == "1"
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith(VERDICT) for line in lines)
    assert any("\\u" in line and VERDICT in line for line in lines)


def test_a_verdict_comes_last(run: Run, join: Join, tmp_path: Path) -> None:
    join(ADA)
    file = tmp_path / "proof.json"
    file.write_bytes(run("proof", given=f"{ADA}\n").stdout_bytes)

    *_, verdict, status = on_a_terminal("proof", "verify", str(file))

    assert (verdict, status) == ("Nothing in it was changed since it was signed by this key.", "0")


@pytest.mark.parametrize("text", STEERING)
@pytest.mark.parametrize("err", [False, True])
def test_no_command_writes_what_steers_a_terminal(text: str, err: bool) -> None:
    @main.command("say")
    def say() -> None:
        click.echo(text, err=err, color=True)
        raise click.ClickException(text)

    try:
        said = CliRunner().invoke(main, ["say"], color=True)
    finally:
        del main.commands["say"]

    for output in (said.stdout, said.stderr):
        assert all(c.isprintable() or c in "\n\u202e" for c in output)
    assert VERDICT in said.stderr or "\u202e" in said.stderr


def test_half_a_character_ends_no_command() -> None:
    @main.command("say")
    def say() -> None:
        click.echo("a\ud800b")

    try:
        said = CliRunner().invoke(main, ["say"])
    finally:
        del main.commands["say"]

    assert (said.exit_code, said.stdout) == (0, "a\\ud800b\n")


@pytest.mark.parametrize("text", STEERING)
def test_a_sentence_is_one_line(text: str) -> None:
    assert one_line(text).isprintable()
    assert one_line("Größe: 1 €") == "Größe: 1 €"


def test_a_document_is_the_same_with_its_control_characters_escaped() -> None:
    document = {"text": "a\x85\x9b\u2028\x1b\n\t"}

    @main.command("say")
    def say() -> None:
        click.echo(json.dumps(document, ensure_ascii=False))

    try:
        said = CliRunner().invoke(main, ["say"])
    finally:
        del main.commands["say"]

    assert json.loads(said.stdout) == document
