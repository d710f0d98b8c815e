"""What staff do about one person, whose address is read from standard input."""

from __future__ import annotations

import click

from newsletter import config
from newsletter.cli.application import ACTOR, address, corrected_address, show, with_app
from newsletter.config import Locale
from newsletter.domain.lifecycle import Reason
from newsletter.rights import access as access_export
from newsletter.rights import access_text, erasure_report
from newsletter.subscriptions import corrections, staff
from newsletter.subscriptions.erase import erase as erase_person

_STAFF_REASONS = [Reason.UNSUBSCRIBED, Reason.COMPLAINT, Reason.BOUNCE, Reason.STAFF]


@click.command()
@click.option(
    "--keep-block", is_flag=True, help="Keep a digest, so that the address stays blocked."
)
@click.option("--status", metavar="ID", help="Show how far an erasure is, and its receipt.")
@click.option(
    "--locale",
    type=click.Choice(["de", "en"]),
    help="The report's language; DEFAULT_LOCALE's where none is named.",
)
@with_app
def erase(*, keep_block: bool, status: str | None, locale: Locale | None) -> None:
    """Erase a person here and at Mailchimp.

    The address is read from standard input; the answer says what is deleted where, and what is kept.
    """
    if keep_block and status is not None:
        raise click.UsageError(
            "--keep-block belongs to a new erasure, --status to one begun before."
        )
    settings = config.current()
    # Not by truth: an empty --status, from a variable that was not set, must not become an erasure.
    is_new = status is None
    id_ = (
        status
        if status is not None
        else erase_person(address(), actor=ACTOR, keep_block=keep_block)
    )
    found = erasure_report.find(id_, locale or settings.default_locale)
    if found is None:
        raise click.ClickException("No erasure is known by this id; its record may have ended.")
    show(found)
    if is_new:
        door = f"{settings.public_url}/admin/erasures/{id_}"
        how = f"newsletter erase --status {id_}, or GET {door}, with an admin token."
        click.echo(f"How far it is: {how}", err=True)


@click.command()
@click.option("--text", "as_text", is_flag=True, help="To read and to hand on, instead of JSON.")
@click.option(
    "--locale", type=click.Choice(["de", "en"]), help="The language; without it, the person's own."
)
@with_app
def access(*, as_text: bool, locale: Locale | None) -> None:
    """Show all that is held about a person.

    The address is read from standard input.
    """
    held = access_export.of(address(), actor=ACTOR, locale=locale)
    if as_text:
        click.echo(access_text.plain(held, locale or access_text.language_of(held)), nl=False)
    else:
        show(held)


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
    staff.block(address(), Reason(reason), actor=ACTOR)
    click.echo("Blocked.")


@click.command()
@with_app
def lift() -> None:
    """Make a hard block a soft one.

    The address, which is read from standard input, may then sign up again.
    """
    staff.lift(address(), actor=ACTOR)
    click.echo("Lifted.")


@click.command()
@click.option("--release", "is_released", is_flag=True, help="End the hold.")
@with_app
def hold(*, is_released: bool) -> None:
    """Hold a person's data: restrict its processing.

    As Art. 18 GDPR has it: no letters, no newsletter, and nothing ends by itself, until it is
    released. What they ask for themselves goes on: leaving, blocking, erasing. The address is read from standard input.
    """
    staff.hold(address(), is_held=not is_released, actor=ACTOR)
    click.echo("Released." if is_released else "Held.")


@click.command()
@with_app
def rectify() -> None:
    """Correct a person's address.

    Two lines are read from standard input: the address as it is known, then as it is to be. Its owner
    is asked by a letter, and until they confirm the old one stands.
    """
    old, new = corrected_address()
    corrections.rectify(old, new, actor=ACTOR)
    click.echo("Corrected: its owner is asked, unless they have confirmed before.")
