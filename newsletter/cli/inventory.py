"""The record of processing and a text for the privacy notice, made from the code and the settings alone."""

from __future__ import annotations

import click

from newsletter import config
from newsletter.config import Locale
from newsletter.rights.retention import CLASSES
from newsletter.texts import inventory


@click.command("data-inventory")
@click.option(
    "--locale",
    type=click.Choice(["de", "en"]),
    help="The language [DEFAULT_LOCALE].",
)
def data_inventory(*, locale: Locale | None) -> None:
    """Print the record of processing and a privacy text.

    The text is for the privacy notice; both are Markdown (Art. 30 and 13 GDPR). Fill in what is in square
    brackets. No database is opened.
    """
    settings = config.load_or_exit()
    click.echo(inventory.document(settings, locale or settings.default_locale, CLASSES), nl=False)
