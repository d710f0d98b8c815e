"""Retention: list the data whose period has ended, end it, and repeat erasures after a restored backup."""

from __future__ import annotations

import click

from newsletter import config
from newsletter.cli.application import ACTOR, json_option, show, with_app
from newsletter.cli.terminal import one_line, progress
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import DeliveryFailure
from newsletter.ledger import restored
from newsletter.rights import retention as data
from newsletter.rights.data.ending import Ending, Next
from newsletter.storage.runs.retention import UNREADABLE
from newsletter.worker.mailchimp.trouble import trouble_of
from newsletter.worker.restore.run import Restored, restore_now
from newsletter.worker.upkeep.retention import run_now


@click.command()
@click.option("--dry-run", is_flag=True, help="List what would end; change nothing.")
@click.option("--after-restore", is_flag=True, help="Repeat the erasures since a restored backup.")
@click.option("--yes", is_flag=True, help="With it: make all changes at Mailchimp, however many.")
@click.option(
    "--key", metavar="FINGERPRINT", help="With it: trust the checkpoints of one more key."
)
@json_option
@with_app
def retention(
    *, dry_run: bool, after_restore: bool, yes: bool, key: str | None, as_json: bool
) -> None:
    """End the data whose period is over.

    The worker does the same every night. Output has reference numbers, never addresses.

    --after-restore: a restored backup contains people who were erased since it was made. The checkpoints in
    LEDGER_CHECKPOINTS name them; they are erased again, and everybody is compared with Mailchimp. Until then workers
    refuse to start.
    """
    if dry_run and after_restore:
        raise click.UsageError("--dry-run and --after-restore exclude each other.")
    if (yes or key) and not after_restore:
        raise click.UsageError("--yes and --key belong to --after-restore.")
    if as_json and after_restore:
        raise click.UsageError("--json and --after-restore exclude each other.")
    if after_restore:
        _after_restored_backup(may_exceed=yes, trusted_key=key)
    elif dry_run:
        _show(as_json=as_json)
    else:
        _run(as_json=as_json)


def _show(*, as_json: bool) -> None:
    plan = data.plan()
    if as_json:
        show({ending.name: _document(ended, then) for ending, ended, then in plan})
        return
    for ending, ended, then in plan:
        click.echo(_line(ending, ended, then))
        for key in ended:
            click.echo(f"  {key}")


def _document(ended: list[str], then: Next) -> dict[str, object]:
    first = then.on.isoformat() if then.on is not None else None
    return {"now": ended, "later": then.count, "first_on": first}


def _line(ending: Ending, ended: list[str], then: Next) -> str:
    first = f", the first on {then.on.isoformat()}" if then.on is not None else ""
    return f"{ending.name}: {len(ended)} now, {then.count} later{first}"


def _run(*, as_json: bool) -> None:
    restored.check()
    counts = run_now()
    if counts is None:
        raise click.ClickException("Another run is under way: wait until it has ended.")
    if as_json:
        show(dict(counts))
    for name, count in counts.items():
        if name != UNREADABLE and not as_json:
            click.echo(f"{name}: {count} ended")
    if counts[UNREADABLE]:
        number = counts[UNREADABLE]
        raise click.ClickException(f"{number} past their end could not be ended: see the log.")


def _after_restored_backup(*, may_exceed: bool, trusted_key: str | None) -> None:
    folder = config.current().ledger_checkpoints
    if folder is None:
        raise click.ClickException("LEDGER_CHECKPOINTS: is not set.")
    try:
        with progress("Rows") as verified, progress("Contacts") as compared:
            done = restore_now(
                folder,
                actor=ACTOR,
                trusted_key=trusted_key,
                may_exceed=may_exceed,
                on_verified=lambda walk: verified(walk.checked, walk.head.position),
                on_compared=lambda report: compared(report.contacts, report.total),
            )
    except DeliveryFailure as failure:
        raise click.ClickException(one_line(trouble_of(failure))) from None
    if done is None:
        click.echo("Nothing changed: the database has everything that the checkpoints name.")
        return
    _report(done)


def _report(done: Restored) -> None:
    last = done.plan.last
    click.echo(f"The ledger kept {done.plan.kept.position} positions.")
    click.echo(f"It lost those up to position {last.position}, of {rfc3339(last.at)}.")
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
            "Workers still refuse to start: check MAILCHIMP_LIST_ID, and run"
            " `newsletter retention --after-restore --yes` if all changes are intended."
        )
    click.echo("Done. Start the workers.")
