"""What an operator does about data that ends: seeing what will go, and having it go now."""

from __future__ import annotations

import click

from newsletter import endings
from newsletter.cli.application import with_app
from newsletter.delivery import retiring
from newsletter.endings import Ending, Next
from newsletter.retention_runs import UNREADABLE


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would end, and change nothing.")
@with_app
def retention(*, dry_run: bool) -> None:
    """End what has reached the end of its period.

    The worker does the same by itself every night. References are shown, never addresses.
    """
    if dry_run:
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
    counts = retiring.run_now()
    if counts is None:
        raise click.ClickException("Another run is under way: wait for its end.")
    for name, count in counts.items():
        if name != UNREADABLE:
            click.echo(f"{name}: {count} ended")
    if counts[UNREADABLE]:
        number = counts[UNREADABLE]
        raise click.ClickException(f"{number} past their end cannot be read: see the log.")
