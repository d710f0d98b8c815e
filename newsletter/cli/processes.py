"""The processes of the Procfile, and the check of the configuration before they start."""

from __future__ import annotations

import logging
import os

import click
from flask import current_app

from newsletter import config
from newsletter.cli import check as checkup
from newsletter.cli import migrate
from newsletter.cli.application import RESTORED_STATUS, say_restored, with_app
from newsletter.cli.terminal import one_line
from newsletter.domain.errors import SettingsError
from newsletter.storage.database import writing
from newsletter.storage.keys import keyring
from newsletter.storage.schema import Schema, schema_of
from newsletter.subscriptions import wording, wording_registry
from newsletter.worker.run import Worker


@click.command()
@with_app
def release() -> None:
    """Bring the database to the newest schema.

    Creates the keyring where there is none. Several hosts may run it at once.
    """
    keyring.check()
    migrate.upgrade()
    with writing() as session:
        keyring.lock(session)
        keyring.make_if_missing(session)
        wording.publish(session)
        is_ahead = schema_of(session.connection()) is Schema.AHEAD
    if is_ahead:
        click.echo(
            "The schema is a later release's: it is left unchanged, and this release works with it."
        )
    if (reason := wording_registry.own_text_is_withdrawn()) is not None:
        click.echo(f"Worth knowing: {reason}; change TOPICS or the template.", err=True)
    click.echo("The database is ready.")


@click.command()
@with_app
def worker() -> None:
    """Send e-mails and keep Mailchimp in step.

    It also seals the ledger and ends data whose period is over. It runs until SIGTERM, and then finishes its
    current step. Exit status 3 where the database was restored from a
    backup, or its checkpoints are missing.
    """
    keyring.check()
    running = Worker(current_app._get_current_object())  # type: ignore[attr-defined]
    has_ended = running.run()
    if running.restored is not None:
        say_restored(running.restored)
    if not has_ended:
        # The interpreter would wait at its end for a thread that hangs in a driver.
        logging.shutdown()
        os._exit(0 if running.restored is None else RESTORED_STATUS)
    if running.restored is not None:
        raise SystemExit(RESTORED_STATUS)


@click.command()
def check() -> None:
    """Find mistakes of configuration, and how to correct each.

    Exit status 1 where there are any. Mistakes go to standard error; hints ("Worth knowing: …") and the sentence
    that people agree to go to standard output.
    """
    found = list(checkup.settings.misspelt(config.variables()))
    found += checkup.settings.quoted(config.quoted())
    sentences: list[str] = []
    try:
        settings = config.load()
        found += checkup.findings(settings)
        sentences += checkup.texts.sentences(settings)
    except SettingsError as error:
        found += checkup.settings.refused(error)
    problems = [finding for finding in found if not finding.is_hint]
    for problem in problems:
        click.echo(one_line(problem), err=True)
    for hint in found:
        if hint.is_hint:
            click.echo(one_line(f"Worth knowing: {hint}"))
    for sentence in sentences:
        click.echo(one_line(sentence))
    if problems:
        raise SystemExit(1)
    click.echo("Everything is in order.")
