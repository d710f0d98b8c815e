"""What the commands share: they run inside the application, and take an address from standard input or a prompt."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from newsletter import config
from newsletter.app import create_core
from newsletter.cli.terminal import one_line
from newsletter.domain.address import Address
from newsletter.domain.errors import (
    NewsletterError,
    RestoredDatabase,
    SettingsError,
    Unavailable,
    WrongDataKey,
)
from newsletter.storage import outage

#: Who is in the ledger for what was done here: the login could be a person's name, and stands there for ever.
ACTOR = "cli"
#: Of whatever refuses to work on a database that was restored from a backup.
RESTORED_STATUS = 3


def with_app(command: Callable[..., None]) -> Callable[..., None]:
    """Run a command inside the application; what goes wrong on purpose is one line and exit status 1."""

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
                raise click.ClickException(one_line(error)) from None

    return run


def say_restored(error: RestoredDatabase) -> None:
    """Say on standard error why a process ends with RESTORED_STATUS."""
    click.echo(f"Error: {one_line(error)}.", err=True)


def address() -> Address:
    """One address from a prompt, or one line of standard input."""
    return Address.as_held(given("E-mail address"))


def corrected_address() -> tuple[Address, Address]:
    """An address as it is known and as it is to be, from two prompts or two lines of standard input."""
    old = Address.as_held(given("E-mail address as it is known"))
    return old, Address.parse(given("E-mail address as it is to be"))


def given(asked: str) -> str:
    """What was asked for, from a prompt, or one line of standard input."""
    stream = sys.stdin
    line: str = click.prompt(asked, err=True) if stream.isatty() else stream.readline()
    return line.strip("\r\n")


def show(answer: object) -> None:
    """Print an answer as JSON."""
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
