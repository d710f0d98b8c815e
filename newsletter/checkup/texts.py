"""The form, the letters and the consent texts as they are used, a brand's among them: what the law asks of them."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from newsletter import lint
from newsletter.checkup.finding import Finding
from newsletter.config import Settings


def findings(settings: Settings) -> Iterator[Finding]:
    """What newsletter.lint finds; it needs no database."""
    app = Flask("newsletter")
    app.extensions["settings"] = settings
    with app.app_context():
        for sentence in lint.findings():
            about, _, said = sentence.removesuffix(".").partition(": ")
            wrong, _, remedy = said.rpartition("; ")
            yield Finding(about, wrong, remedy)
