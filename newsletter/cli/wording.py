"""The consent texts: list them, show one, withdraw one."""

from __future__ import annotations

from typing import Any

import click

from newsletter.cli.application import json_option, show, with_app
from newsletter.domain.clock import rfc3339
from newsletter.subscriptions import wording_registry
from newsletter.subscriptions.wording_registry import Registered


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def wording(context: click.Context, *, as_json: bool) -> None:
    """List the consent texts.

    For each: whether the form shows it now, how often it was confirmed, and how many people's records name it.
    """
    if context.invoked_subcommand is None:
        _list(as_json=as_json)


@with_app
def _list(*, as_json: bool) -> None:
    texts, records = wording_registry.all_texts(), wording_registry.records()
    if as_json:
        show([_document(text, records) for text in texts])
        return
    for text in texts:
        click.echo(f"{text.consent.hash}  {text.consent.language}  {_state(text)}")
        named = records.get(text.consent.hash, 0)
        click.echo(f"  confirmations: {text.agreed}; records that name it: {named}")


@wording.command("show")
@click.argument("hash_", metavar="HASH")
@json_option
@with_app
def show_one(*, hash_: str, as_json: bool) -> None:
    """Show the consent text with this hash.

    It may be withdrawn, or deleted at the end of its period.
    """
    text = wording_registry.find(hash_)
    if as_json:
        document = _document(text, wording_registry.records())
        show({**document, "text": text.consent.text or None})
        return
    click.echo(f"{text.consent.language}, {_state(text)}:")
    click.echo(text.consent.text or "Its text has been deleted, at the end of its period.")


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


def _state(text: Registered) -> str:
    since = f"published {rfc3339(text.published_at)}"
    if text.withdrawn_at is not None:
        return f"{since}, withdrawn {rfc3339(text.withdrawn_at)}"
    return f"{since}, shown now" if text.is_present else since


def _document(text: Registered, records: dict[str, int]) -> dict[str, Any]:
    return {
        "hash": text.consent.hash,
        "language": text.consent.language,
        "published": rfc3339(text.published_at),
        "withdrawn": rfc3339(text.withdrawn_at) if text.withdrawn_at else None,
        "present": text.is_present,
        "agreed": text.agreed,
        "records": records.get(text.consent.hash, 0),
    }
