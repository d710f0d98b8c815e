"""The `newsletter` command. Addresses come from standard input or a prompt, never from the arguments, which others
can read in a list of processes. Exit status: 0 done, 1 not done, 2 wrong usage or settings.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import wraps
from typing import Any

import click
from flask import current_app
from sqlalchemy.exc import DBAPIError

from newsletter import (
    checkup,
    config,
    create_core,
    database,
    keyring,
    migrating,
    outage,
    proof,
    subscriptions,
    wording,
)
from newsletter.address import Address
from newsletter.database import writing
from newsletter.delivery import webhook_install
from newsletter.delivery.drift_report import Report
from newsletter.delivery.mailchimp_members import members_for
from newsletter.delivery.mailchimp_trouble import trouble_of
from newsletter.delivery.reconcile_now import reconcile_now
from newsletter.delivery.worker import Worker
from newsletter.errors import (
    DeliveryFailure,
    NewsletterError,
    SettingsError,
    Unavailable,
    WrongDataKey,
)
from newsletter.lifecycle import Reason
from newsletter.schema import Schema, schema_of

#: Who is in the ledger for what was done here: the login could be a person's name, and stands there for ever.
ACTOR = "cli"
_STAFF_REASONS = [Reason.UNSUBSCRIBED, Reason.COMPLAINT, Reason.BOUNCE, Reason.STAFF]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="newsletter")
def main() -> None:
    """Double opt-in for a newsletter run with Mailchimp."""


def _with_app(command: Callable[..., None]) -> Callable[..., None]:
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
                raise click.ClickException(f"{trouble.about}: {trouble}.") from None
            except NewsletterError as error:
                raise click.ClickException(str(error)) from None

    return run


def _address() -> Address:
    """One address from a prompt, or one line of standard input."""
    stream = sys.stdin
    given = click.prompt("E-mail address", err=True) if stream.isatty() else stream.readline()
    return Address.as_held(given.strip("\r\n"))


def _show(answer: object) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


@main.command()
@_with_app
def release() -> None:
    """Bring the database to the newest schema.

    Makes the keyring, too, where there is none; several hosts may do it at once.
    """
    keyring.check()
    migrating.upgrade()
    with writing() as session:
        database.lock(session, b"keyring ")
        keyring.make_if_missing(session)
        wording.publish(session)
        is_ahead = schema_of(session.connection()) is Schema.AHEAD
    if is_ahead:
        click.echo(
            "The schema is a later release's: it stays as it is, and this one works with it."
        )
    click.echo("The database is ready.")


@main.command()
@_with_app
def worker() -> None:
    """Send letters, keep Mailchimp up to date, tidy up.

    Until SIGTERM; then it finishes what is in hand.
    """
    keyring.check()
    has_ended = Worker(current_app._get_current_object()).run()  # type: ignore[attr-defined]
    if not has_ended:
        # The interpreter would wait at its end for what hangs in a driver.
        logging.shutdown()
        os._exit(0)


@main.command()
def check() -> None:
    """Look for mistakes of configuration and say how to mend each.

    Exit status 1 where there are any.
    Problems go to standard error; what is only worth knowing goes to standard output.
    """
    found = list(checkup.settings.misspelt(config.variables()))
    found += checkup.settings.quoted(config.quoted())
    try:
        found += checkup.findings(config.load())
    except SettingsError as error:
        found += checkup.settings.refused(error)
    problems = [finding for finding in found if not finding.is_hint]
    for problem in problems:
        click.echo(problem, err=True)
    for hint in found:
        if hint.is_hint:
            click.echo(f"Worth knowing: {hint}")
    if problems:
        raise SystemExit(1)
    click.echo("Everything is in order.")


@main.command()
@click.option(
    "--keep-block", is_flag=True, help="Keep a digest, so that the address stays blocked."
)
@_with_app
def erase(*, keep_block: bool) -> None:
    """Erase a person here and at Mailchimp.

    The address is read from standard input. How far it is: GET /admin/erasures/ with the answer's id
    behind it, with an admin token.
    """
    answer = subscriptions.erase(_address(), actor=ACTOR, keep_block=keep_block)
    _show(answer)
    door = f"{config.current().public_url}/admin/erasures/{answer['id']}"
    click.echo(f"How far it is: GET {door}, with an admin token.", err=True)


@main.command()
@_with_app
def access() -> None:
    """Show all that is held about a person.

    The address is read from standard input.
    """
    _show(proof.access(_address(), actor=ACTOR))


@main.command()
@click.option(
    "--reason",
    type=click.Choice([str(reason) for reason in _STAFF_REASONS]),
    default=str(Reason.UNSUBSCRIBED),
    show_default=True,
    help="A withdrawal by phone or letter is 'unsubscribed'; 'staff' means never again.",
)
@_with_app
def block(*, reason: str) -> None:
    """Block an address.

    It is read from standard input.
    """
    subscriptions.block(_address(), Reason(reason), actor=ACTOR)
    click.echo("Blocked.")


@main.command()
@_with_app
def lift() -> None:
    """Make a hard block a soft one.

    The address, which is read from standard input, may then sign up again.
    """
    subscriptions.lift(_address(), actor=ACTOR)
    click.echo("Lifted.")


@main.command()
@click.option("--full", is_flag=True, help="Walk all contacts, and see who is missing there.")
@click.option("--yes", is_flag=True, help="Make all changes, however many there are.")
@_with_app
def reconcile(*, full: bool, yes: bool) -> None:
    """Settle what differs from Mailchimp's audience.

    A block wins, wherever it was set. Without --full, contacts that changed since the last time are
    looked at, and all of them once a week. Where more than 50 people, or 2 % of them, would change,
    nothing does without --yes. The worker does the same by itself every night.
    """
    mailchimp = members_for(config.current())
    if mailchimp is None:
        raise click.ClickException("MAILCHIMP_API_KEY: is not set.")
    try:
        with closing(mailchimp), _bar() as watch:
            report = reconcile_now(mailchimp, full=full, may_exceed=yes, watch=watch)
    except DeliveryFailure as failure:
        raise click.ClickException(str(trouble_of(failure))) from None
    if report is None:
        raise click.ClickException("Another reconciliation is under way: wait for its end.")
    for line in report.lines():
        click.echo(line)
    if report.is_stopped:
        hint = "See that MAILCHIMP_LIST_ID is right; `newsletter reconcile --yes` makes them all."
        raise click.ClickException(hint)


@contextmanager
def _bar() -> Iterator[Callable[[Report], None]]:
    """How far the walk is, on a terminal alone."""
    if not sys.stdout.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=1, label="Contacts") as bar:

        def watch(report: Report) -> None:
            bar.length = max(1, report.total)
            bar.update(report.contacts - bar.pos)

        yield watch


@main.group()
def webhook() -> None:
    """Have Mailchimp tell who leaves there: `webhook install`."""


@webhook.command("install")
@_with_app
def install_webhook() -> None:
    """Register the webhook at Mailchimp, or mend the one that is there.

    `web` has to answer at PUBLIC_URL. Where one is made, its signing secret is shown, this once.
    """
    installed = webhook_install.install(config.current())
    for sentence in installed.sentences:
        click.echo(sentence)
    if installed.signing_secret is not None:
        click.echo("Set MAILCHIMP_SIGNING_SECRET for `web` to this, which nobody shows again:")
        click.echo(installed.signing_secret)
