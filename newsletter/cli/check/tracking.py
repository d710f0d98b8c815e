"""Mailchimp's tracking: campaigns note who opens them and clicks in them unless they are told not to (§ 25 TDDDG).

It is switched off in each campaign, before it is sent, where nobody can look. So it is named, unless those who
consent are told of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.cli.check.finding import Finding
from newsletter.config import Settings
from newsletter.domain.consent import ConsentText
from newsletter.web import samples

_NAMED = {
    "de": r"\böffne|\bgeöffnet|\bÖffnungs(?:rate|verhalten)|klick|tracking",
    "en": r"\bopen|\bclick|\btracking",
}


def findings(settings: Settings) -> Iterator[Finding]:
    """Whether everybody who consents is told of it, in their language."""
    app = samples.showroom(settings)
    if samples.broken(app):
        return  # that a text cannot be used is told once, with the texts
    if not all(_names(samples.consent(app, each), settings) for each in settings.locales):
        yield Finding(
            "tracking",
            "Mailchimp notes who opens a newsletter and clicks in it, of which the consent text says nothing",
            "switch open and click tracking off in every campaign, or name it in the consent text"
            " (BRAND_DIR/wordings)",
            is_hint=True,
        )


def _names(consent: ConsentText, settings: Settings) -> bool:
    text = consent.text
    for given in (settings.organisation, settings.topics_in(consent.language)):
        text = text.replace(" ".join(given.split()), " ")
    return re.search(_NAMED[consent.language], text, re.IGNORECASE) is not None
