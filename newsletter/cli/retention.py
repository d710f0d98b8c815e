"""What an operator does about data that ends: seeing what will go, and having it go now."""

from __future__ import annotations

import click

from newsletter.cli.application import refuse_after_restore, with_app
from newsletter.cli.restoring import after_restored_backup
from newsletter.rights import retention as endings
from newsletter.rights.retention import Ending, Next
from newsletter.storage.runs.retention import UNREADABLE
from newsletter.worker.upkeep import retention as retiring


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would end, and change nothing.")
@click.option("--after-restore", is_flag=True, help="Erase again who was erased since a backup.")
@click.option("--yes", is_flag=True, help="With it: settle all that differs from Mailchimp.")
@click.option("--key", metavar="FINGERPRINT", help="With it: one more key whose checkpoints count.")
@with_app
def retention(*, dry_run: bool, after_restore: bool, yes: bool, key: str | None) -> None:
    """End what is past its period, or show it (--dry-run).

    The worker does the same by itself every night. References are shown, never addresses.

    --after-restore: a database that was restored from a backup knows people again who were erased
    since. The checkpoints in LEDGER_CHECKPOINTS tell who; they are forgotten once more, Mailchimp is
    compared in full, and the workers, which stand still until then, go on.
    """
    if dry_run and after_restore:
        raise click.UsageError("--dry-run and --after-restore exclude each other.")
    if (yes or key) and not after_restore:
        raise click.UsageError("--yes and --key belong to --after-restore.")
    if after_restore:
        after_restored_backup(may_exceed=yes, also=key)
    elif dry_run:
        _show()
    else:
        _run()


def _show() -> None:
    for ending, ended, then in endings.plan():
        click.echo(_told(ending, ended, then))
        for key in ended:
            click.echo(f"  {key}")


def _told(ending: Ending, ended: list[str], then: Next) -> str:
    first = f", the first on {then.on.isoformat()}" if then.on is not None else ""
    return f"{ending.name}: {len(ended)} now, {then.count} later{first}"


def _run() -> None:
    refuse_after_restore()
    counts = retiring.run_now()
    if counts is None:
        raise click.ClickException("Another run is under way: wait for its end.")
    for name, count in counts.items():
        if name != UNREADABLE:
            click.echo(f"{name}: {count} ended")
    if counts[UNREADABLE]:
        number = counts[UNREADABLE]
        raise click.ClickException(f"{number} past their end could not be ended: see the log.")
