"""What an operator does after a backup was restored: bring the database up to what its checkpoints tell."""

from __future__ import annotations

import click

from newsletter import config
from newsletter.cli.application import ACTOR
from newsletter.cli.ledger import walk_bar
from newsletter.cli.mailchimp import bar
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import DeliveryFailure
from newsletter.worker.mailchimp.trouble import trouble_of
from newsletter.worker.restore.run import Restored, restore_now


def after_restored_backup(*, may_exceed: bool, also: str | None) -> None:
    """Bring a restored database up to its checkpoints, and tell what was done."""
    folder = config.current().ledger_checkpoints
    if folder is None:
        raise click.ClickException("LEDGER_CHECKPOINTS: is not set.")
    try:
        with walk_bar() as verifying, bar() as comparing:
            restored = restore_now(
                folder,
                actor=ACTOR,
                also=also,
                may_exceed=may_exceed,
                verifying=verifying,
                comparing=comparing,
            )
    except DeliveryFailure as failure:
        raise click.ClickException(str(trouble_of(failure))) from None
    if restored is None:
        click.echo("The database has all that the checkpoints tell of: nothing was to be done.")
        return
    _tell(restored)


def _tell(restored: Restored) -> None:
    plan = restored.plan
    click.echo(f"Kept of the ledger: {plan.kept.position} positions.")
    lost = [(one.position, one.at) for one in (*plan.lost, plan.lost_head) if one is not None]
    if lost:
        position, at = max(lost)
        click.echo(f"Lost: up to position {position}, of {rfc3339(at)}.")
    click.echo(f"Erased again: {restored.forgotten}.")
    if restored.reconciled is None:
        click.echo(
            "MAILCHIMP_API_KEY is not set: as soon as it is, everybody is compared with Mailchimp"
            " before anybody is added there."
        )
    else:
        for line in restored.reconciled.lines():
            click.echo(line)
    if restored.checkpoint is None:
        raise click.ClickException(
            "The workers still stand still: see that MAILCHIMP_LIST_ID is right, and run"
            " `newsletter retention --after-restore --yes` if it all is meant."
        )
    click.echo(f"Signed: {restored.checkpoint.name}. The workers go on.")
