"""The consent text and the form that asks for it (Art. 4 (11), 7 and 13 GDPR, § 7 UWG, C-673/17)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.cli.check.law.reading import read, squashed
from newsletter.config import Locale, Settings
from newsletter.domain.consent import ConsentText

_OTHER_DECLARATIONS = re.compile(
    r"\bAGB\b|\w*(?:geschäfts|nutzungs|teilnahme)bedingungen|\bterms (?:and conditions|of (?:use|service))"
    r"|gewinnspiel|\bsweepstakes?\b|prize draw",
    re.IGNORECASE,
)
#: What a consent text names, and by which words it is known; what the settings bring is looked for as it is.
_NAMED_IN_CONSENT: dict[Locale, dict[str, str]] = {
    "de": {
        "the channel (“per E-Mail”)": r"\b(?:per|via|als|mit) E-?Mails?\b(?! an\b)",
        "the recipient Mailchimp": r"\bMailchimp\b",
        "the country USA": r"\bUSA\b|Vereinigten? Staaten",
        "the right to withdraw (“widerrufen”)": r"widerr[ou]f",
        "the means to withdraw (the unsubscribe link or an address)": r"abmelde|abbestell|@",
    },
    "en": {
        "the channel (“by e-mail”)": r"\b(?:by|via|per) e-?mails?\b(?! to\b)",
        "the recipient Mailchimp": r"\bMailchimp\b",
        "the country USA": r"\bUSA\b|United States",
        "the right to withdraw": r"\bwithdraw|\brevoke",
        "the means to withdraw (the unsubscribe link or an address)": r"unsubscribe|@",
    },
}


def consent_problems(consent: ConsentText, settings: Settings) -> Iterator[str]:
    """What a consent text must name and does not (Art. 4 (11), 7 (3) and 13 GDPR, § 7 UWG)."""
    named = {
        "the sender ({{ organisation }})": re.escape(squashed(settings.organisation)),
        "the subject ({{ topics }})": re.escape(squashed(settings.topics_in(consent.language))),
        "the privacy notice ({{ privacy_url }})": re.escape(
            settings.privacy_url_in(consent.language)
        ),
        **_NAMED_IN_CONSENT[consent.language],
    }
    for what in _missing(consent, named):
        yield f"the consent text does not name {what}; add it."


def registered_problems(consent: ConsentText) -> Iterator[str]:
    """What a text lacks that was shown under earlier settings.

    Sender, subject and privacy notice may have been others then: of these, only that it has a link is asked for.
    """
    named = {
        **_NAMED_IN_CONSENT[consent.language],
        "a privacy notice (a web address)": r"https?://",
    }
    yield from _missing(consent, named)


def _missing(consent: ConsentText, named: dict[str, str]) -> Iterator[str]:
    for what, pattern in named.items():
        if not re.search(pattern, consent.text, re.IGNORECASE):
            yield what


def form_problems(page: str, consent: ConsentText) -> Iterator[str]:
    """What keeps a form from asking for a free and separate consent (Art. 4 (11) and 7 GDPR, C-673/17)."""
    reader = read(page)
    for tag, given in reader.tags:
        if "checked" in given or "selected" in given:
            name = given.get("name") or tag
            yield f"“{name}” is chosen beforehand; take out its “checked” or “selected”."
    required = [given.get("name") or tag for tag, given in reader.tags if "required" in given]
    if required != ["email"]:
        names = ", ".join(required) or "none"
        yield f"the required fields are: {names}; make “email” the only one."
    if consent.text not in squashed(reader.form):
        yield "the consent text is not in the form word for word; put {{ consent.text }} there."
    if {"type": "hidden", "name": "wording", "value": consent.hash} not in [
        given for tag, given in reader.tags if tag == "input"
    ]:
        yield 'the hash is not sent; add <input type="hidden" name="wording" value="{{ consent.hash }}">.'
    if found := _OTHER_DECLARATIONS.search(squashed(reader.form).replace(consent.text, " ")):
        yield f"the form mixes the consent with other declarations (“{found[0]}”); ask for them elsewhere."
