"""The form, the letters and the consent texts as they are used, a brand's among them: what the law asks of them."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.cli.check import law
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings
from newsletter.texts import brand


def findings(settings: Settings) -> Iterator[Finding]:
    """What newsletter.cli.check.law finds; it needs no database."""
    app = brand.new_flask()
    app.extensions["settings"] = settings
    with app.app_context():
        for sentence in law.findings():
            about, _, said = sentence.removesuffix(".").partition(": ")
            wrong, _, remedy = said.rpartition("; ")
            yield Finding(about, wrong, remedy)
