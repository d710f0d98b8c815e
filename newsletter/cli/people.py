"""What staff do about people, whose addresses are read from standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from newsletter import config
from newsletter.cli.application import (
    ACTOR,
    corrected_address,
    for_each_address,
    json_option,
    show,
    with_app,
)
from newsletter.config import Locale
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Reason
from newsletter.rights import access as access_export
from newsletter.rights import access_text, erasure_preview, erasure_report, erasure_text
from newsletter.rights.erasure_preview import Preview
from newsletter.subscriptions import corrections, staff
from newsletter.subscriptions.erase import erase as erase_person

_STAFF_REASONS = [Reason.UNSUBSCRIBED, Reason.COMPLAINT, Reason.BOUNCE, Reason.STAFF]


@click.command()
@click.option("--keep-block", is_flag=True, help="Keep a digest, so the address stays blocked.")
@click.option(
    "--status",
    metavar="REF",
    help="Show the state of an erasure, and its receipt, by its id or the person's reference number.",
)
@click.option("--yes", is_flag=True, help="Do not ask: for scripts and lists.")
@click.option(
    "--locale", type=click.Choice(["de", "en"]), help="The report's language [DEFAULT_LOCALE]."
)
@json_option
@with_app
def erase(
    *, keep_block: bool, status: str | None, yes: bool, locale: Locale | None, as_json: bool
) -> None:
    """Erase people here and at Mailchimp.

    Addresses are read from standard input, one a line. The command shows what it will delete and asks; input that
    is piped in is erased only with --yes. The report says what is deleted where, and what is kept.
    """
    if keep_block and status is not None:
        raise click.UsageError("--keep-block belongs to a new erasure, --status to an earlier one.")
    language = locale or config.current().default_locale

    def plan(address: Address) -> str:
        return "\n".join(_planned(erasure_preview.preview(address, keep_block=keep_block)))

    def erase_one(address: Address) -> None:
        click.echo(plan(address), err=True)
        if not yes:
            click.confirm("Erase?", abort=True, err=True)
        _erase(address, language, keep_block=keep_block, as_json=as_json)

    # An empty --status, from a variable that is not set, must not begin an erasure.
    if status is not None:
        _show_erasure(status, language, as_json=as_json)
    elif yes or sys.stdin.isatty():
        for_each_address(erase_one)
    else:
        for_each_address(plan)
        raise click.ClickException("Nothing was erased: input that is piped in needs --yes.")


def _erase(address: Address, language: Locale, *, keep_block: bool, as_json: bool) -> None:
    id_ = erase_person(address, actor=ACTOR, keep_block=keep_block)
    _show_erasure(id_, language, as_json=as_json)
    endpoint = f"{config.current().public_url}/admin/erasures/{id_}"
    status = f"newsletter erase --status {id_}, or GET {endpoint}, with an admin token."
    click.echo(f"Its state: {status}", err=True)


def _show_erasure(number: str, language: Locale, *, as_json: bool) -> None:
    report = erasure_report.find(number, language)
    if report is None:
        raise click.ClickException(
            "No erasure has this id or reference number, or its record has ended."
        )
    if as_json:
        show(report)
    else:
        click.echo(erasure_text.plain(report, language), nl=False)


def _planned(preview: Preview) -> Iterator[str]:
    if not preview.was_known:
        yield "Nobody is known here under this address. Is it spelt correctly?"
    if preview.deleted:
        yield "To be deleted here:"
        yield from (f"  {text.en}" for text in preview.deleted)
    if preview.related:
        yield f"The same of {preview.related} more, from which or to which the address was corrected."
    yield "To be deleted at Mailchimp for good: the contact with this address, if there is one."


@click.command()
@click.option("--locale", type=click.Choice(["de", "en"]), help="The language [the person's own].")
@json_option
@with_app
def access(*, as_json: bool, locale: Locale | None) -> None:
    """Show all data held about people.

    As Art. 15 GDPR requires. Addresses are read from standard input, one a line.
    """

    def show_one(address: Address) -> None:
        held = access_export.of(address, actor=ACTOR, locale=locale)
        if as_json:
            show(held)
        else:
            click.echo(access_text.plain(held, locale or access_text.language_of(held)), nl=False)

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
