"""What staff do about one person, whose address is read from standard input."""

from __future__ import annotations

import click

from newsletter import access_export, config, erasure_report, subscriptions
from newsletter.cli.application import ACTOR, address, show, with_app
from newsletter.lifecycle import Reason

_STAFF_REASONS = [Reason.UNSUBSCRIBED, Reason.COMPLAINT, Reason.BOUNCE, Reason.STAFF]


@click.command()
@click.option(
    "--keep-block", is_flag=True, help="Keep a digest, so that the address stays blocked."
)
@click.option("--status", metavar="ID", help="Show how far an erasure is, and its receipt.")
@with_app
def erase(*, keep_block: bool, status: str | None) -> None:
    """Erase a person here and at Mailchimp.

    The address is read from standard input; the answer says what is deleted where, and what is kept.
    """
    if status is None:
        answer = subscriptions.erase(address(), actor=ACTOR, keep_block=keep_block)
        show(answer)
        door = f"{config.current().public_url}/admin/erasures/{answer['id']}"
        how = f"newsletter erase --status {answer['id']}, or GET {door}, with an admin token."
        click.echo(f"How far it is: {how}", err=True)
        return
    if keep_block:
        raise click.UsageError(
            "--keep-block belongs to a new erasure, --status to one begun before."
        )
    found = erasure_report.find(status)
    if found is None:
        raise click.ClickException("No erasure is known by this id; its record may have ended.")
    show(found)


@click.command()
@with_app
def access() -> None:
    """Show all that is held about a person.

    The address is read from standard input.
    """
    show(access_export.of(address(), actor=ACTOR))


@click.command()
@click.option(
    "--reason",
    type=click.Choice([str(reason) for reason in _STAFF_REASONS]),
    default=str(Reason.UNSUBSCRIBED),
    show_default=True,
    help="A withdrawal by phone or letter is 'unsubscribed'; 'staff' means never again.",
)
@with_app
def block(*, reason: str) -> None:
    """Block an address.

    It is read from standard input.
    """
    subscriptions.block(address(), Reason(reason), actor=ACTOR)
    click.echo("Blocked.")


@click.command()
@with_app
def lift() -> None:
    """Make a hard block a soft one.

    The address, which is read from standard input, may then sign up again.
    """
    subscriptions.lift(address(), actor=ACTOR)
    click.echo("Lifted.")
