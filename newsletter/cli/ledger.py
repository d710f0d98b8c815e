"""Whether anybody changed the ledger: `ledger verify`; and a new folder for its checkpoints: `ledger new-folder`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from newsletter import config
from newsletter.cli.application import with_app
from newsletter.ledger import checkpoints as checkpoint_files
from newsletter.ledger import comparison
from newsletter.ledger import head as signed_head
from newsletter.ledger.verifying import Verification
from newsletter.storage.runs import verification
from newsletter.worker.restore import new_folder


@click.group()
def ledger() -> None:
    """Check the ledger, or begin a new folder of checkpoints."""


@ledger.command()
@click.option("--checkpoints", is_flag=True, help="Compare with the checkpoints, too.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Compare with those of another folder, such as a copy of your own.",
)
@with_app
def verify(*, checkpoints: bool, folder: Path | None) -> None:
    """Check each row by its seal (--checkpoints).

    The first that is wrong is named. A tail that was cut off, and a ledger rewritten with all of its
    seals, show beside the checkpoints alone. Exit status 1 where anything is wrong.
    """
    checkpoints = checkpoints or folder is not None
    folder = folder or config.current().ledger_checkpoints
    if checkpoints and folder is None:
        raise click.ClickException("LEDGER_CHECKPOINTS: is not set.")
    walk = Verification()
    with walk_bar() as watch:
        while walk.step():
            watch(walk)
    if walk.wrong is not None:
        raise click.ClickException(str(walk.wrong))
    if checkpoints and folder is not None and (wrong := _beside_checkpoints(folder)) is not None:
        raise click.ClickException(wrong)
    if _is_workers_scope(folder, checkpoints=checkpoints):
        # What the worker found the last time, and was mended since, is told no more.
        verification.end(checked=walk.checked, unsealed=walk.unsealed, wrong=None)
    beside = ", and as the checkpoints say" if checkpoints else ""
    click.echo(f"{walk.checked} rows are as they were sealed{beside}.")
    if checkpoints and folder is not None and (head := _missing_head(folder)) is not None:
        click.echo(head)
    if walk.unsealed:
        click.echo(f"{walk.unsealed} more wait for their seal.")


def _is_workers_scope(folder: Path | None, *, checkpoints: bool) -> bool:
    """Tell whether all was checked that the worker checks every day."""
    workers = config.current().ledger_checkpoints
    return workers is None or (checkpoints and folder == workers)


def _beside_checkpoints(folder: Path) -> str | None:
    try:
        return comparison.complaint(folder)
    except OSError as error:
        return f"LEDGER_CHECKPOINTS: cannot be read ({error.strerror})."


def _missing_head(folder: Path) -> str | None:
    """What is not compared for that; an upgrade, or a copy of the checkpoints alone, has none."""
    with suppress(OSError):  # away since it was compared
        newest = checkpoint_files.newest(folder)
        if newest is not None and signed_head.identity(folder) is None:
            return (
                f"{signed_head.NAME} is not there: what was sealed after position {newest.position}"
                " could be cut off or rewritten unnoticed."
            )
    return None


@ledger.command("new-folder")
@click.option("--yes", is_flag=True, help="Also where the workers wait for a backup's erasures.")
@with_app
def begin_new_folder(*, yes: bool) -> None:
    """Begin a new folder of checkpoints.

    For an empty LEDGER_CHECKPOINTS, where the earlier checkpoints are lost for good: a worker that
    starts and sees none stands still, since a backup may have been restored. So first see that it is the
    right folder, and mounted; where the files were moved, put them there instead. Everybody is then
    compared with Mailchimp before anybody is added there. Where the workers wait for a backup's
    erasures, these are not carried out: --yes.
    """
    folder = config.current().ledger_checkpoints
    if folder is None:
        raise click.ClickException("LEDGER_CHECKPOINTS: is not set.")
    try:
        written = new_folder.begin(folder, is_lost=yes)
    except OSError as error:
        raise click.ClickException(
            f"LEDGER_CHECKPOINTS: cannot be used ({error.strerror})."
        ) from None
    signed = "Nothing is sealed yet" if written is None else f"Signed: {written.name}"
    click.echo(f"{signed}. The workers go on.")


@contextmanager
def walk_bar() -> Iterator[Callable[[Verification], None]]:
    """How far the walk is, on a terminal alone."""
    if not sys.stdout.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=1, label="Rows") as bar:

        def watch(walk: Verification) -> None:
            bar.length = max(1, walk.head.position)
            bar.update(walk.checked - bar.pos)

        yield watch
