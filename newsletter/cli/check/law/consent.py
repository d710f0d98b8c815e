"""The consent text and the form that asks for it (Art. 4 (11), 7 and 13 GDPR, § 7 UWG, C-673/17)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.cli.check.law.reading import read, squashed
from newsletter.config import Settings
from newsletter.domain.consent import ConsentText
from newsletter.texts import lint_words


def consent_problems(consent: ConsentText, settings: Settings) -> Iterator[str]:
    """What a consent text lacks (Art. 4 (11), 7 (3) and 13 GDPR, § 7 UWG)."""
    named = {
        "the sender ({{ organisation }})": re.escape(squashed(settings.organisation)),
        "the subject ({{ topics }})": re.escape(squashed(settings.topics_in(consent.language))),
        "the privacy notice ({{ privacy_url }})": re.escape(
            settings.privacy_url_in(consent.language)
        ),
        **lint_words.CONSENT[consent.language],
    }
    for what in _missing(consent, named):
        yield f"the consent text does not name {what}; add it."


def registered_problems(consent: ConsentText) -> Iterator[str]:
    """What a registered text lacks.

    It may name an earlier sender, subject and privacy notice, so of these only a link is required.
    """
    named = {
        **lint_words.CONSENT[consent.language],
        "a privacy notice (a web address)": r"https?://",
    }
    yield from _missing(consent, named)


def _missing(consent: ConsentText, named: dict[str, str]) -> Iterator[str]:
    for what, pattern in named.items():
        if not re.search(pattern, consent.text, re.IGNORECASE):
            yield what


def form_problems(page: str, consent: ConsentText) -> Iterator[str]:
    """Why a form does not ask for a free and separate consent (Art. 4 (11) and 7 GDPR, C-673/17)."""
    reader = read(page)
    for tag, given in reader.tags:
        if "checked" in given or "selected" in given:
            name = given.get("name") or tag
            yield f"“{name}” is preselected; remove its “checked” or “selected”."
    required = [given.get("name") or tag for tag, given in reader.tags if "required" in given]
    if required != ["email"]:
        names = ", ".join(required) or "none"
        yield f"the required fields are: {names}; make “email” the only one."
    if {"type": "hidden", "name": "wording", "value": consent.hash} not in [
        given for tag, given in reader.tags if tag == "input"
    ]:
        yield 'the hash is not sent; add <input type="hidden" name="wording" value="{{ consent.hash }}">.'
    yield from declaration_problems(page, consent)


def declaration_problems(page: str, consent: ConsentText) -> Iterator[str]:
    """Why what is declared by a page's form is not the consent alone (Art. 7 (2) GDPR)."""
    form = squashed(read(page).form)
    if consent.text not in form:
        yield "the consent text is not in the form word for word; put {{ consent.text }} there."
    own = form.replace(consent.text, " ")
    if found := re.search(lint_words.OTHER_DECLARATIONS, own, re.IGNORECASE):
        yield f"the form mixes the consent with other declarations (“{found[0]}”); ask for those elsewhere."
