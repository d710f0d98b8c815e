"""What the commands share: the application that they run in, and what they read from standard input or a prompt."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from newsletter import config
from newsletter.app import create_core
from newsletter.cli.terminal import one_line
from newsletter.domain.address import Address
from newsletter.domain.errors import (
    BlockedHard,
    CannotCorrect,
    InvalidAddress,
    NewsletterError,
    NobodyKnown,
    RestoredDatabase,
    SettingsError,
    Unavailable,
    UnknownReference,
    WrittenTooOften,
    WrongDataKey,
)
from newsletter.storage import outage

#: The actor in the ledger: a login could be a person's name, and the ledger is kept for ever.
ACTOR = "cli"
SHORTEST_PASSPHRASE = 12
RESTORED_STATUS = 3  #: the exit status where a restored backup stops a command

#: What goes wrong for one person and not for the next.
_ERRORS_OF_ONE_PERSON = (
    BlockedHard,
    CannotCorrect,
    InvalidAddress,
    NobodyKnown,
    UnknownReference,
    WrittenTooOften,
)


def with_app(command: Callable[..., None]) -> Callable[..., None]:
    """Run a command inside the application; an expected error is one line and exit status 1."""

    @wraps(command)
    def run(**options: Any) -> None:
        try:
            app = create_core(config.load_or_exit())
        except SettingsError as error:
            config.refuse(error)
        with app.app_context():
            try:
                command(**options)
            except WrongDataKey as error:
                config.refuse(error)
            except (DBAPIError, Unavailable) as error:
                trouble = outage.trouble_of(error)
                raise click.ClickException(one_line(f"{trouble.about}: {trouble}.")) from None
            except RestoredDatabase as error:
                say_restored(error)
                raise SystemExit(RESTORED_STATUS) from None
            except NewsletterError as error:
                lines = str(error).splitlines()
                raise click.ClickException("\n".join(map(one_line, lines))) from None

    return run


def say_restored(error: RestoredDatabase) -> None:
    """Print why a process ends with RESTORED_STATUS."""
    click.echo(f"Error: {one_line(error)}.", err=True)


def for_each_address(act: Callable[[Address], str | None]) -> None:
    """Call `act` with the address from a prompt, or from each line of standard input; print the sentence it returns.

    A line that fails does not stop the others; the exit status is then 1. Of several lines, each result names its line.
    """
    lines = _lines("E-mail address")
    failed = False
    for number, line in lines.items():
        prefix = f"Line {number}: " if len(lines) > 1 else ""
        try:
            sentence = act(Address.parse_leniently(line))
        except _ERRORS_OF_ONE_PERSON as error:
            failed = True
            click.echo(f"{prefix}Error: {one_line(error)}", err=True)
        except Exception:
            if prefix:
                click.echo(f"{prefix}Not done, nor any line below it.", err=True)
            raise
        else:
            if sentence is not None:
                click.echo(f"{prefix}{sentence}")
    if failed:
        raise SystemExit(1)


def corrected_address() -> tuple[Address, Address]:
    """The known address and the correct one, from two prompts or two lines of standard input."""
    known, correct = "The address as it is known", "The correct address"
    lines = list(_lines(known, correct).values())
    if len(lines) != 2:
        raise click.ClickException(
            f"Two lines are expected: the address as it is known, then the correct one. Given: {len(lines)}."
        )
    return _parsed(known, lines[0], Address.parse_leniently), _parsed(
        correct, lines[1], Address.parse
    )


def _parsed(name: str, line: str, parse: Callable[[str], Address]) -> Address:
    try:
        return parse(line)
    except InvalidAddress:
        raise click.ClickException(f"{name} is not an e-mail address.") from None


def only_line(prompt: str) -> str:
    """The answer to a prompt, or the only line of standard input."""
    lines = list(_lines(prompt).values())
    if len(lines) > 1:
        raise click.ClickException(f"One line is expected. Given: {len(lines)}.")
    return lines[0]


def passphrase_from(file: Path | None, *, is_new: bool = False) -> str:
    """A passphrase from a file, a prompt that does not show it, or the only line of standard input."""
    if file is not None:
        given = file.read_text("utf-8").strip("\r\n")
    elif sys.stdin.isatty():
        given = click.prompt("Passphrase", hide_input=True, confirmation_prompt=is_new, err=True)
    else:
        given = only_line("Passphrase")
    if is_new and len(given) < SHORTEST_PASSPHRASE:
        raise click.ClickException(f"A passphrase has at least {SHORTEST_PASSPHRASE} characters.")
    return given


def _lines(*prompts: str) -> dict[int, str]:
    """The answers to prompts at a terminal, else the lines of standard input by number, without blank ones."""
    if sys.stdin.isatty():
        return {n: click.prompt(prompt, err=True) for n, prompt in enumerate(prompts, 1)}
    # A spreadsheet's list may begin with a byte order mark; what is not UTF-8 is no address.
    octets = sys.stdin.buffer.read().removeprefix(codecs.BOM_UTF8)
    lines = octets.decode("utf-8", "surrogateescape").split("\n")
    given = {n: line.strip(" \t\r") for n, line in enumerate(lines, 1) if line.strip(" \t\r")}
    if not given:
        raise click.ClickException("Nothing was given on standard input.")
    return given


json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


def show(answer: object) -> None:
    """Print a document as JSON."""
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
