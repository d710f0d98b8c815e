"""What an operator does about the keys (docs/keys.md): changing them, looking at them, publishing the public ones."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from newsletter import config
from newsletter.cli import terminal
from newsletter.cli.application import with_app
from newsletter.domain.clock import rfc3339
from newsletter.ledger import restored
from newsletter.storage import notices
from newsletter.storage.keys import keyring, reencryption, rotation, signing
from newsletter.storage.keys.reencryption import Walk
from newsletter.storage.notices import Code

_END = "an hour after the new one, the worker takes it away, or `newsletter keys rotate` does"


@click.group()
def keys() -> None:
    """Change the keys, look at them, publish the public ones."""


@keys.command()
@click.option("--data", is_flag=True, help="Make a new data key, and encrypt everything by it.")
@click.option("--signing", "signs", is_flag=True, help="Make a new key that signs.")
@with_app
def rotate(*, data: bool, signs: bool) -> None:
    """Wrap the keyring by the newest DATA_KEY.

    Afterwards the older ones may leave the list. It may be done while web and workers run, and done again; what
    a run did not finish, the next one does. Digests never change.
    """
    keyring.current()  # nothing can be done to a database that `release` has not made yet
    if data:
        restored.check()
    for stale in notices.current(Code.KEY_IS_STALE)[:1]:
        click.echo(f"worker: {stale.sentence.wrong}; {stale.sentence.remedy}.", err=True)
    _rewrap()
    if signs:
        rotation.new_signing_key()
        click.echo("A new key signs from now on: publish what `newsletter keys public` prints.")
    if data and rotation.new_data_key():
        click.echo("A new data key encrypts from now on.")
    elif data:
        click.echo("A data key was made within the last hour: its rotation goes on.")
    if len(keyring.current().data) > 1:
        _turn_from_old_keys()


def _rewrap() -> None:
    changed, all_ = rotation.rewrap()
    if changed:
        click.echo(f"{changed} of {all_} keys were wrapped anew by the newest DATA_KEY.")
    else:
        click.echo(f"All {all_} keys are wrapped by the newest DATA_KEY.")
    if len(config.current().data_key) > 1:
        click.echo(
            "The older ones may leave the list, on every host; keep them as long as there are backups of theirs."
        )


def _turn_from_old_keys() -> None:
    restored.check()
    walk = Walk()
    with _bar() as watch:
        while walk.step():
            watch(walk.seen)
    stay = rotation.end_old_keys()
    if anew := walk.seen - walk.unreadable:
        click.echo(f"{_values(anew)} {'was' if anew == 1 else 'were'} encrypted anew.")
    if walk.unreadable:
        raise click.ClickException(
            f"{_values(walk.unreadable)} cannot be read. What cannot be read stays as it is, and so does"
            " its key; the log names the rows."
        )
    if left := _left():
        click.echo(f"Held or written meanwhile: {_values(left)}, for the next run.")
    if stay:
        click.echo(f"The old data key stays for now: {_END}.")
    else:
        click.echo("The old data key is gone: nothing needs it any more.")


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count or 'no'} values"


def _left() -> int:
    return reencryption.left(max(keyring.current().data))


@contextmanager
def _bar() -> Iterator[Callable[[int], None]]:
    """How far the walk is, on a terminal alone."""
    if not sys.stdout.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=max(1, _left()), label="Values", file=terminal.bare()) as bar:
        yield lambda seen: bar.update(seen - bar.pos)


@keys.command("list")
@with_app
def list_() -> None:
    """Show which keys there are and which DATA_KEY wraps each.

    No key is shown.
    """
    kept = rotation.kept()
    for key in kept:
        by = (
            "the newest DATA_KEY" if key.place == 0 else f"DATA_KEY no. {key.place + 1} of the list"
        )
        click.echo(f"{key.id:>4}  {key.purpose:<9}  made {rfc3339(key.made_at)}  wrapped by {by}")
    if any(key.place > 0 for key in kept):
        click.echo("`newsletter keys rotate` wraps all of them by the newest.")
    if len(keyring.current().data) > 1:
        left = _left()
        is_old = f"{'is' if left == 1 else 'are'} still encrypted by an old data key"
        click.echo(f"{_values(left).capitalize()} {is_old}: {_END}.")


@keys.command()
@with_app
def public() -> None:
    """Print the public keys, to be published.

    The newest first; what was ever signed here can be checked with one of them.
    """
    for place, key in enumerate(keyring.current().public_keys):
        told = "signs now" if place == 0 else "signed before"
        click.echo(f"{signing.ALGORITHM}, {told}, fingerprint {signing.fingerprint(key)}")
        click.echo(signing.public_pem(key))
