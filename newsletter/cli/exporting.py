"""Write everybody to a file."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import IO, BinaryIO, cast

import click

from newsletter.cli.application import ACTOR, passphrase_from, show, with_app
from newsletter.rights import everybody
from newsletter.rights.everybody import Exported, Kind
from newsletter.storage.keys import passphrase

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--csv", "as_csv", is_flag=True, help="A CSV file for spreadsheets.")
@click.option("--plain", is_flag=True, help="Do not encrypt the file.")
@click.option("--passphrase-file", type=_FILE, help="Encrypt with it; else it is asked for.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@with_app
def export(
    *, file: Path, as_csv: bool, plain: bool, passphrase_file: Path | None, as_json: bool
) -> None:
    """Write everybody to FILE, which must not exist.

    It has the address, status, times and evidence of each person, as JSON lines, which `newsletter import` reads.
    It is encrypted with a passphrase unless --plain: docs/moving.md says how others decrypt it. That an export was made
    is recorded in the ledger.
    """
    if plain and passphrase_file:
        raise click.UsageError("--plain and --passphrase-file exclude each other.")
    secret = None if plain else passphrase_from(passphrase_file, is_new=True)
    kind: Kind = "csv" if as_csv else "json"
    try:
        opened = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        raise click.ClickException("The file exists already: name another one.") from None
    except OSError as error:
        raise click.ClickException(f"The file cannot be written: {error.strerror}.") from None
    try:
        with opened:
            done = _write(opened, kind, secret)
    except BaseException:
        file.unlink()
        raise
    _report(done, as_json=as_json)


def _write(opened: IO[bytes], kind: Kind, secret: str | None) -> Exported:
    writing = passphrase.encrypting(opened, secret) if secret is not None else nullcontext(opened)
    with writing as file:
        return everybody.write(cast("BinaryIO", file), kind, actor=ACTOR)


def _report(done: Exported, *, as_json: bool) -> None:
    if as_json:
        show({"people": done.people, "without_address": done.without_address, **done.statuses})
        return
    each = ", ".join(f"{count} {status}" for status, count in sorted(done.statuses.items()))
    click.echo(f"Exported: {done.people} ({each or 'nobody'}).")
    if done.without_address:
        click.echo(
            f"Blocks without an address: {done.without_address}. Only a code of each is kept, which another service"
            " cannot use: these people are not in the file."
        )
