"""The consent texts: list them, show one, withdraw one."""

from __future__ import annotations

from typing import Any

import click

from newsletter.cli.application import show, with_app
from newsletter.domain.clock import rfc3339
from newsletter.subscriptions import wording_registry
from newsletter.subscriptions.wording_registry import Registered


@click.group(invoke_without_command=True)
@click.pass_context
def wording(context: click.Context) -> None:
    """List the consent texts.

    For each: whether the form shows it now, and how many people's records name it.
    """
    if context.invoked_subcommand is None:
        _list()


@with_app
def _list() -> None:
    show([_document(text) for text in wording_registry.all_texts()])


@wording.command("show")
@click.argument("hash_", metavar="HASH")
@with_app
def show_one(*, hash_: str) -> None:
    """Show the consent text with this hash.

    It may be withdrawn. Its text is null once it has been deleted.
    """
    text = wording_registry.find(hash_)
    show({**_document(text), "text": text.consent.text or None})


@wording.command()
@click.argument("hash_", metavar="HASH")
@with_app
def withdraw(*, hash_: str) -> None:
    """Accept no more sign-ups with this consent text.

    E-mails that quote it are still sent, and can be confirmed. A withdrawal is final: settings that return to the text
    do not bring it back. The text that the form shows now cannot be withdrawn: change TOPICS or the template first.
    """
    wording_registry.withdraw(hash_)
    click.echo("Withdrawn.")


def _document(text: Registered) -> dict[str, Any]:
    return {
        "hash": text.consent.hash,
        "language": text.consent.language,
        "published": rfc3339(text.published_at),
        "withdrawn": rfc3339(text.withdrawn_at) if text.withdrawn_at else None,
        "present": text.is_present,
        "records": text.records,
    }
