"""The keys (docs/keys.md): rotate them, list them, print the public ones."""

from __future__ import annotations

import click

from newsletter import config
from newsletter.cli.application import json_option, show, with_app
from newsletter.cli.terminal import progress
from newsletter.domain.clock import rfc3339
from newsletter.ledger import restored
from newsletter.storage import notices
from newsletter.storage.keys import keyring, reencryption, rotation, signing
from newsletter.storage.keys.reencryption import Walk
from newsletter.storage.keys.rotation import KeyInfo
from newsletter.storage.notices import Code

_END = "an hour after the new one was made, the worker or `newsletter keys rotate` deletes it"


@click.group()
def keys() -> None:
    """Rotate the keys, list them, print the public ones."""


@keys.command()
@click.option("--data", is_flag=True, help="Make a new data key, and encrypt everything with it.")
@click.option("--signing", "signs", is_flag=True, help="Make a new signing key.")
@with_app
def rotate(*, data: bool, signs: bool) -> None:
    """Wrap the keyring with the newest DATA_KEY.

    Afterwards the older ones may be removed from the list. Web and workers may run meanwhile. A run that was
    interrupted is continued by the next one. Digests never change.
    """
    keyring.current()  # raises on a database without a released schema
    if data:
        restored.check()
    for stale in notices.current(Code.KEY_IS_STALE)[:1]:
        click.echo(f"worker: {stale.sentence.wrong}; {stale.sentence.remedy}.", err=True)
    _rewrap()
    if signs:
        rotation.new_signing_key()
        click.echo("A new key signs from now on: publish the output of `newsletter keys public`.")
    if data and rotation.new_data_key():
        click.echo("A new data key encrypts from now on.")
    elif data:
        click.echo("A data key was made within the last hour: its rotation continues.")
    if len(keyring.current().data) > 1:
        _reencrypt()


def _rewrap() -> None:
    changed, total = rotation.rewrap()
    if changed:
        click.echo(f"{changed} of {total} keys were wrapped again, with the newest DATA_KEY.")
    else:
        click.echo(f"Nothing changed: all {total} keys are wrapped with the newest DATA_KEY.")
    if len(config.current().data_key) > 1:
        click.echo(
            "Remove the older ones from the list on every host; keep a copy as long as backups need them."
        )


def _reencrypt() -> None:
    restored.check()
    walk, total = Walk(), _left()
    with progress("Values") as advance:
        while walk.step():
            advance(walk.seen, total)
    kept = rotation.delete_old_keys()
    if anew := walk.seen - walk.unreadable:
        click.echo(f"{_values(anew)} {'was' if anew == 1 else 'were'} encrypted again.")
    if walk.unreadable:
        raise click.ClickException(
            f"{_values(walk.unreadable)} cannot be read. They and their key are left unchanged; the log"
            " names the rows."
        )
    if left := _left():
        click.echo(
            f"Left for the next run, as they were locked or written meanwhile: {_values(left)}."
        )
    if kept:
        click.echo(f"The old data key is kept for now: {_END}.")
    else:
        click.echo("The old data key was deleted: nothing needs it.")


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count or 'no'} values"


def _left() -> int:
    return reencryption.left(max(keyring.current().data))


@keys.command("list")
@json_option
@with_app
def list_(*, as_json: bool) -> None:
    """List the keys, and which DATA_KEY wraps each.

    No key itself is shown.
    """
    kept = rotation.list_keys()
    if as_json:
        show({"keys": [_document(key) for key in kept], "encrypted_with_an_old_key": _left()})
        return
    for key in kept:
        by = (
            "the newest DATA_KEY" if key.place == 0 else f"DATA_KEY no. {key.place + 1} of the list"
        )
        click.echo(f"{key.id:>4}  {key.purpose:<9}  made {rfc3339(key.made_at)}  wrapped with {by}")
    if any(key.place > 0 for key in kept):
        click.echo("`newsletter keys rotate` wraps all of them with the newest.")
    if len(keyring.current().data) > 1:
        left = _left()
        is_old = f"{'is' if left == 1 else 'are'} still encrypted with an old data key"
        click.echo(f"{_values(left).capitalize()} {is_old}: {_END}.")


def _document(key: KeyInfo) -> dict[str, object]:
    return {
        "id": key.id,
        "purpose": key.purpose,
        "made_at": rfc3339(key.made_at),
        "wrapped_with": key.place + 1,  # of DATA_KEY's list
    }


@keys.command()
@with_app
def public() -> None:
    """Print the public keys, for publication.

    The newest comes first. Each document that was ever signed here can be checked with one of them.
    """
    for place, key in enumerate(keyring.current().public_keys):
        use = "signs now" if place == 0 else "signed before"
        click.echo(f"{signing.ALGORITHM}, {use}, fingerprint {signing.fingerprint(key)}")
        click.echo(signing.public_pem(key))
