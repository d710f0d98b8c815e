"""The ledger: verify it, and begin a new file of checkpoints."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter import config
from newsletter.cli.application import with_app
from newsletter.cli.terminal import one_line, progress
from newsletter.ledger import comparison
from newsletter.ledger.verifying import Verification
from newsletter.storage.runs import verification
from newsletter.worker.restore import new_folder


@click.group()
def ledger() -> None:
    """Verify the ledger, or begin a new file of checkpoints."""


@ledger.command()
@click.option("--checkpoints", is_flag=True, help="Compare with the checkpoints, too.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Compare with the checkpoints of another folder, such as a copy.",
)
@with_app
def verify(*, checkpoints: bool, folder: Path | None) -> None:
    """Verify each row of the ledger by its seal.

    The first wrong row is named. Only --checkpoints finds a tail that was cut off, and a ledger that was rewritten with
    all its seals. Exit status 1 where anything is wrong.
    """
    checkpoints = checkpoints or folder is not None
    folder = folder or config.current().ledger_checkpoints
    if checkpoints and folder is None:
        raise click.ClickException("LEDGER_CHECKPOINTS: is not set.")
    walk = Verification()
    with progress("Rows") as advance:
        while walk.step():
            advance(walk.checked, walk.head.position)
    if walk.fault is not None:
        raise click.ClickException(one_line(walk.fault))
    if checkpoints and folder is not None and (wrong := _against_checkpoints(folder)) is not None:
        raise click.ClickException(one_line(wrong))
    if _is_workers_scope(folder, checkpoints=checkpoints):
        # Clears what the worker found last time, if it has been corrected since.
        verification.end(None)
    matched = "their seals and the checkpoints" if checkpoints else "their seals"
    click.echo(f"{walk.checked} rows match {matched}.")
    if walk.unsealed:
        click.echo(f"{walk.unsealed} more are not sealed yet.")


def _is_workers_scope(folder: Path | None, *, checkpoints: bool) -> bool:
    """Whether this run verified everything that the worker verifies every day."""
    workers = config.current().ledger_checkpoints
    return workers is None or (checkpoints and folder == workers)


def _against_checkpoints(folder: Path) -> str | None:
    try:
        return comparison.first_fault(folder)
    except OSError as error:
        return f"LEDGER_CHECKPOINTS: cannot be read ({error.strerror})."


@ledger.command("new-folder")
@click.option(
    "--none", is_flag=True, help="Continue without checkpoints; LEDGER_CHECKPOINTS is not set."
)
@with_app
def begin_new_folder(*, none: bool) -> None:
    """Begin a new file of checkpoints.

    For an empty LEDGER_CHECKPOINTS, where the earlier checkpoints are lost for good: workers refuse to start without
    them, since a backup may have been restored. First check that the folder is the right one and mounted; if the file
    was moved, move it back instead. All people are then compared with Mailchimp before anybody is added there.
    """
    folder = config.current().ledger_checkpoints
    if folder is None and none:
        new_folder.give_up()
    elif folder is None or none:
        is_wrong = "is set" if none else "is not set; --none goes on without checkpoints"
        raise click.ClickException(one_line(f"LEDGER_CHECKPOINTS: {is_wrong}."))
    else:
        try:
            new_folder.begin(folder)
        except OSError as error:
            raise click.ClickException(
                f"LEDGER_CHECKPOINTS: cannot be used ({error.strerror})."
            ) from None
    click.echo("Done. Start the workers.")
