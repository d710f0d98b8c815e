"""The command that prints the findings."""

from __future__ import annotations

import click

from newsletter import config
from newsletter.cli import check as checkup
from newsletter.cli.check import settings as of_settings
from newsletter.cli.check import texts
from newsletter.cli.terminal import one_line
from newsletter.domain.errors import SettingsError


@click.command()
def check() -> None:
    """Find mistakes of configuration, and how to correct each.

    Exit status 1 where there are any. Mistakes go to standard error; hints ("Worth knowing: …") and the sentence
    that people agree to go to standard output.
    """
    found = list(of_settings.misspelt(config.variables()))
    found += of_settings.quoted(config.quoted())
    sentences: list[str] = []
    try:
        settings = config.load()
        found += checkup.findings(settings)
        sentences += texts.sentences(settings)
    except SettingsError as error:
        found += of_settings.refused(error)
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
