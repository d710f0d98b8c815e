"""Mailchimp: compare both sides, and register the webhook."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import click

from newsletter import config
from newsletter.cli.application import with_app
from newsletter.cli.terminal import one_line, progress
from newsletter.domain.errors import DeliveryFailure
from newsletter.ledger import restored
from newsletter.worker.mailchimp import webhook as webhook_install
from newsletter.worker.mailchimp.client import client_for
from newsletter.worker.mailchimp.failures import LIST_UNKNOWN
from newsletter.worker.mailchimp.listing import MailchimpMembers
from newsletter.worker.mailchimp.trouble import trouble_behind, trouble_of
from newsletter.worker.reconcile.report import Report
from newsletter.worker.reconcile_now import reconcile_now


@click.command()
@click.option("--full", is_flag=True, help="Compare all contacts, and find who is missing.")
@click.option("--yes", is_flag=True, help="Make all changes, however many they are.")
@with_app
def reconcile(*, full: bool, yes: bool) -> None:
    """Compare with Mailchimp, and correct differences.

    A block wins, wherever it was made. Without --full, contacts that changed since the last run are compared, and all
    of them once a week. What looks like a wrong audience changes nothing without --yes: more than 50 changes or 2 % of
    all people, another audience than before, or fewer than half of the expected people in it. The worker does the same
    every night.
    """
    restored.check()
    mailchimp = client_for(config.current(), MailchimpMembers)
    if mailchimp is None:
        raise click.ClickException("MAILCHIMP_API_KEY: is not set.")
    try:
        with closing(mailchimp), progress("Contacts") as advance:
            report = _reconciled(
                mailchimp,
                full=full,
                may_exceed=yes,
                watch=lambda report: advance(report.contacts, report.total),
            )
    except DeliveryFailure as failure:
        raise click.ClickException(one_line(trouble_of(failure))) from None
    if report is None:
        raise click.ClickException("Another reconciliation is under way: wait for its end.")
    for line in report.lines():
        click.echo(line)
    if report.is_stopped:
        hint = "See that MAILCHIMP_LIST_ID is right; `newsletter reconcile --full --yes` makes them all."
        raise click.ClickException(hint)
    if report.on_hold is not None:
        raise click.ClickException(f"On hold: {trouble_behind(report.on_hold)}")


def _reconciled(
    mailchimp: MailchimpMembers, *, full: bool, may_exceed: bool, watch: Callable[[Report], None]
) -> Report | None:
    try:
        return reconcile_now(
            mailchimp, full=full, may_exceed=may_exceed, watch=watch, on_retry=_say_retry
        )
    except DeliveryFailure as failure:
        if failure.reason == LIST_UNKNOWN:
            mailchimp.ping()  # raises where not even this is known: then it is the URL
        raise


def _say_retry(reason: str) -> None:
    click.echo(f"Mailchimp fails ({reason}): trying again for a minute or two.", err=True)


@click.group()
def webhook() -> None:
    """Have Mailchimp report who leaves there."""


@webhook.command("install")
@with_app
def install_webhook() -> None:
    """Register the webhook at Mailchimp, or correct it.

    `web` must answer at PUBLIC_URL. The signing secret of a new webhook is shown once.
    """
    installed = webhook_install.install(config.current())
    for sentence in installed.sentences:
        click.echo(one_line(sentence))
    if installed.signing_secret is not None:
        click.echo(
            "Set MAILCHIMP_SIGNING_SECRET for `web` to this secret, which is not shown again:"
        )
        click.echo(one_line(installed.signing_secret))
