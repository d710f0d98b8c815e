"""The sentences that people see, by name, so that a brand can replace them."""

from __future__ import annotations

from typing import get_args

import click

from newsletter import config
from newsletter.cli.application import json_option, show
from newsletter.config import Locale
from newsletter.domain.errors import SettingsError
from newsletter.texts import brand, sentences


@click.command()
@json_option
def texts(*, as_json: bool) -> None:
    """List the sentences that people see, by name.

    Single ones are replaced by lines name = "sentence" in BRAND_DIR/texts.de.toml and texts.en.toml. E-mails and
    consent texts are listed as whole files. The words of access documents, proofs and reports of a deletion cannot be
    replaced. No database is opened.
    """
    settings = config.load_or_exit()
    replaced, problems = sentences.read(settings.brand_dir)
    if problems:
        config.refuse(SettingsError(problems))
    found, files = sentences.shown(replaced), brand.whole_files(settings)
    if as_json:
        show({"sentences": [_document(each) for each in found], "files": files})
        return
    for each in found:
        for locale in get_args(Locale):
            mark = " (replaced)" if locale in each.replaced else ""
            click.echo(f"{each.name}  {locale}  {each.text.in_(locale)}{mark}")
    click.echo("Whole files, copied into BRAND_DIR to be changed:")
    for name, is_replaced in files.items():
        click.echo(f"{name}{' (replaced)' if is_replaced else ''}")


def _document(shown: sentences.Shown) -> dict[str, object]:
    return {
        "name": shown.name,
        **{locale: shown.text.in_(locale) for locale in get_args(Locale)},
        "replaced": shown.replaced,
    }
