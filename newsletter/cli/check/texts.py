"""The form, e-mails and consent texts in use, those of BRAND_DIR included: what the law requires of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.cli.check import law
from newsletter.cli.check.finding import Finding
from newsletter.config import Settings
from newsletter.domain.consent import ConsentText
from newsletter.texts.lint_words import TRACKING
from newsletter.web.samples import rendering
from newsletter.web.samples.problems import problems_in


def findings(settings: Settings) -> Iterator[Finding]:
    """The findings of the lint (newsletter.cli.check.law); needs no database."""
    app = rendering.sample_app(settings)
    for sentence in problems_in(app) or law.findings(app):
        about, _, finding = sentence.removesuffix(".").partition(": ")
        wrong, _, remedy = finding.rpartition("; ")
        yield Finding(about, wrong, remedy)


def sentences(settings: Settings) -> Iterator[str]:
    """What people agree to, so that whoever set TOPICS reads the sentence that it completes."""
    app = rendering.sample_app(settings)
    if problems_in(app):
        return  # findings() reports it
    for language in settings.locales:
        yield f"The form asks ({language}): “{rendering.consent(app, language).text}”"


def tracking(settings: Settings) -> Iterator[Finding]:
    """Mailchimp's tracking, where the consent text does not mention it (§ 25 TDDDG).

    Only a campaign's own settings switch it off, which cannot be read beforehand.
    """
    app = rendering.sample_app(settings)
    if problems_in(app):
        return  # findings() reports it
    if not all(_mentions(rendering.consent(app, each), settings) for each in settings.locales):
        yield Finding(
            "tracking",
            "Mailchimp records who opens a newsletter and clicks in it, which the consent text does not mention",
            "switch open and click tracking off in every campaign, or mention it in the consent text"
            " (BRAND_DIR/wordings)",
            is_hint=True,
        )


def _mentions(consent: ConsentText, settings: Settings) -> bool:
    text = consent.text
    for value in (settings.organisation, settings.topics_in(consent.language)):
        text = text.replace(" ".join(value.split()), " ")
    return re.search(TRACKING[consent.language], text, re.IGNORECASE) is not None
