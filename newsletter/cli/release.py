"""`newsletter release`: what a deployment runs before its processes start."""

from __future__ import annotations

import click

from newsletter.cli import migrate
from newsletter.cli.application import with_app
from newsletter.storage.database import writing
from newsletter.storage.keys import keyring
from newsletter.storage.schema import Schema, schema_of
from newsletter.subscriptions import wording, wording_registry


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
    if (reason := wording_registry.warning()) is not None:
        click.echo(f"Worth knowing: {reason}; change TOPICS or the template.", err=True)
    click.echo("The database is ready.")
