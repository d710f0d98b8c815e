"""What staff do about people, whose addresses are read from standard input."""

from __future__ import annotations

import click

from newsletter import config
from newsletter.cli.application import ACTOR, corrected_address, for_each_address, show, with_app
from newsletter.config import Locale
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Reason
from newsletter.rights import access as access_export
from newsletter.rights import access_text, erasure_report
from newsletter.subscriptions import corrections, staff
from newsletter.subscriptions.erase import erase as erase_person

_STAFF_REASONS = [Reason.UNSUBSCRIBED, Reason.COMPLAINT, Reason.BOUNCE, Reason.STAFF]


@click.command()
@click.option("--keep-block", is_flag=True, help="Keep a digest, so the address stays blocked.")
@click.option("--status", metavar="ID", help="Show the state of an erasure, and its receipt.")
@click.option(
    "--locale", type=click.Choice(["de", "en"]), help="The report's language [DEFAULT_LOCALE]."
)
@with_app
def erase(*, keep_block: bool, status: str | None, locale: Locale | None) -> None:
    """Erase people here and at Mailchimp.

    Addresses are read from standard input, one a line. The report says what is deleted where, and what is kept.
    """
    if keep_block and status is not None:
        raise click.UsageError("--keep-block belongs to a new erasure, --status to an earlier one.")
    language = locale or config.current().default_locale
    # An empty --status, from a variable that is not set, must not begin an erasure.
    if status is not None:
        _show_erasure(status, language)
    else:
        for_each_address(lambda address: _erase(address, language, keep_block=keep_block))


def _erase(address: Address, language: Locale, *, keep_block: bool) -> None:
    id_ = erase_person(address, actor=ACTOR, keep_block=keep_block)
    _show_erasure(id_, language)
    endpoint = f"{config.current().public_url}/admin/erasures/{id_}"
    status = f"newsletter erase --status {id_}, or GET {endpoint}, with an admin token."
    click.echo(f"Its state: {status}", err=True)


def _show_erasure(id_: str, language: Locale) -> None:
    report = erasure_report.find(id_, language)
    if report is None:
        raise click.ClickException("No erasure has this id, or its record has ended.")
    show(report)


@click.command()
@click.option("--text", "as_text", is_flag=True, help="Text for people instead of JSON.")
@click.option("--locale", type=click.Choice(["de", "en"]), help="The language [the person's own].")
@with_app
def access(*, as_text: bool, locale: Locale | None) -> None:
    """Show all data held about people.

    As Art. 15 GDPR requires. Addresses are read from standard input, one a line.
    """

    def show_one(address: Address) -> None:
        held = access_export.of(address, actor=ACTOR, locale=locale)
        if as_text:
            click.echo(access_text.plain(held, locale or access_text.language_of(held)), nl=False)
        else:
            show(held)

    for_each_address(show_one)


@click.command()
@click.option(
    "--reason",
    type=click.Choice([str(reason) for reason in _STAFF_REASONS]),
    default=str(Reason.UNSUBSCRIBED),
    show_default=True,
    help="'unsubscribed' is a withdrawal by phone or letter; 'staff' is a permanent block.",
)
@with_app
def block(*, reason: str) -> None:
    """Block addresses.

    They are read from standard input, one a line.
    """

    def block_one(address: Address) -> str:
        changed = staff.block(address, Reason(reason), actor=ACTOR)
        return "Blocked." if changed else "Nothing changed: it is blocked already."

    for_each_address(block_one)


@click.command()
@with_app
def lift() -> None:
    """Lift permanent blocks, so the owners may sign up again.

    Addresses are read from standard input, one a line.
    """

    def lift_one(address: Address) -> str:
        if staff.lift(address, actor=ACTOR):
            return "Lifted."
        return "Nothing changed: it is not permanently blocked, so its owner may sign up."

    for_each_address(lift_one)


@click.command()
@click.option("--release", "is_released", is_flag=True, help="End the restriction.")
@with_app
def hold(*, is_released: bool) -> None:
    """Restrict the processing of people's data.

    As Art. 18 GDPR requires: until the release they get no e-mails and no newsletter, and nothing ends by itself. What
    they ask for themselves is still done: leaving, blocking, erasing. Addresses are read from standard input, one a
    line.
    """

    def hold_one(address: Address) -> str:
        changed = staff.hold(address, is_held=not is_released, actor=ACTOR)
        if is_released:
            return "Released." if changed else "Nothing changed: it is not on hold."
        return "Held." if changed else "Nothing changed: it is on hold already."

    for_each_address(hold_one)


@click.command()
@with_app
def rectify() -> None:
    """Correct a person's address.

    Two lines are read from standard input: the address as it is known, then the correct one. The owner of the
    correct one is asked by e-mail; until they confirm, the known one remains.
    """
    old, new = corrected_address()
    corrections.rectify(old, new, actor=ACTOR)
    click.echo("Corrected: its owner is asked, unless they have confirmed before.")
