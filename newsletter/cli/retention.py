"""What an operator does about data that ends: seeing what will go, and having it go now."""

from __future__ import annotations

import click

from newsletter import config
from newsletter.cli.application import ACTOR, with_app
from newsletter.cli.ledger import walk_bar
from newsletter.cli.mailchimp import bar
from newsletter.cli.terminal import one_line
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import DeliveryFailure
from newsletter.ledger import restored
from newsletter.rights import retention as endings
from newsletter.rights.retention import Ending, Next
from newsletter.storage.runs.retention import UNREADABLE
from newsletter.worker.mailchimp.trouble import trouble_of
from newsletter.worker.restore.run import Restored, restore_now
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
    since. The checkpoints in LEDGER_CHECKPOINTS tell who; they are erased once more, and Mailchimp is
    compared in full. Until then workers refuse to start.
    """
    if dry_run and after_restore:
        raise click.UsageError("--dry-run and --after-restore exclude each other.")
    if (yes or key) and not after_restore:
        raise click.UsageError("--yes and --key belong to --after-restore.")
    if after_restore:
        _after_restored_backup(may_exceed=yes, also=key)
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
    restored.check()
    counts = retiring.run_now()
    if counts is None:
        raise click.ClickException("Another run is under way: wait for its end.")
    for name, count in counts.items():
        if name != UNREADABLE:
            click.echo(f"{name}: {count} ended")
    if counts[UNREADABLE]:
        number = counts[UNREADABLE]
        raise click.ClickException(f"{number} past their end could not be ended: see the log.")


def _after_restored_backup(*, may_exceed: bool, also: str | None) -> None:
    folder = config.current().ledger_checkpoints
    if folder is None:
        raise click.ClickException("LEDGER_CHECKPOINTS: is not set.")
    try:
        with walk_bar() as verifying, bar() as comparing:
            done = restore_now(
                folder,
                actor=ACTOR,
                also=also,
                may_exceed=may_exceed,
                verifying=verifying,
                comparing=comparing,
            )
    except DeliveryFailure as failure:
        raise click.ClickException(one_line(trouble_of(failure))) from None
    if done is None:
        click.echo("The database has all that the checkpoints tell of: nothing was to be done.")
        return
    _say(done)


def _say(done: Restored) -> None:
    last = done.plan.last
    click.echo(f"Kept of the ledger: {done.plan.kept.position} positions.")
    click.echo(f"Lost: up to position {last.position}, of {rfc3339(last.at)}.")
    click.echo(f"Erased again: {done.erased}.")
    if done.reconciled is None:
        click.echo(
            "MAILCHIMP_API_KEY is not set: as soon as it is, everybody is compared with Mailchimp"
            " before anybody is added there."
        )
    else:
        for line in done.reconciled.lines():
            click.echo(line)
    if not done.is_finished:
        raise click.ClickException(
            "Workers still refuse to start: see that MAILCHIMP_LIST_ID is right, and run"
            " `newsletter retention --after-restore --yes` if it all is meant."
        )
    click.echo("Done. Start the workers.")
