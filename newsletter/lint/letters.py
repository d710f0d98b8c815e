"""A confirmation letter: free of advertising, and saying all it has to (§ 7 UWG, Art. 13 GDPR, § 5 DDG)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter import formatting
from newsletter.config import Settings
from newsletter.delivery.letters import LetterValues
from newsletter.lint.reading import read, squashed

_LOADING = {
    *("img", "picture", "svg", "video", "audio", "source", "iframe", "object", "embed"),
    *("link", "script", "form", "input", "button"),
}
_LOADING_ATTRIBUTES = {"src", "srcset", "background", "poster"}
_LOADING_STYLE = re.compile(r"url\(|@import", re.IGNORECASE)
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)]", re.IGNORECASE)
_ADVERTISING = re.compile(
    r"willkommen|welcome|\bfreuen?\b|\bglad\b|\bgratis|kostenlos|\bfree\b|angebote?n?\b|\boffers?\b|rabatt|discount"
    r"|exklusiv|exclusive|\bjetzt\b|\bnow\b|\bfragen\b|\bquestions\b|kontaktieren|contact us|folgen sie|follow us"
    r"|besuchen|\bvisit\b|entdecken|discover|\bdank|\bthank|!",
    re.IGNORECASE,
)
_DELETION = {"de": r"lösch", "en": r"delet|eras"}


def subject_problems(subject: str, settings: Settings) -> Iterator[str]:
    """What makes a subject an advertisement."""
    if found := _ADVERTISING.search(subject.replace(settings.organisation, " ")):
        yield _advertises(found[0])


def letter_problems(text: str, values: LetterValues, settings: Settings) -> Iterator[str]:
    """What a letter's words say too much, or do not say (§ 7 UWG, Art. 13 GDPR, § 5 DDG)."""
    language = values.language
    imprint = settings.imprint_in(language)
    words = squashed(text)
    own = _without(words, values.consent_text, imprint)
    if found := _ADVERTISING.search(_without(own, settings.organisation)):
        yield _advertises(found[0])
    links = _links(values, settings)
    for url in _URL.findall(own):
        if url not in links.values() and url not in imprint:
            yield _leads_elsewhere(url)
    for what, url in links.items():
        if url not in own.split():
            yield f"{what} is missing as text; add it on a line of its own."
    for what, expected in _facts(values, settings).items():
        if squashed(expected) not in own:
            yield f"the letter does not say {what}; add it."
    if not re.search(_DELETION[language], own, re.IGNORECASE):
        yield "the letter does not say that ignoring it ends in deletion; add it."
    if values.consent_text not in words:
        yield "the consent text is not there word for word; add {{ letter.consent_text }}."
    for line in imprint.splitlines():
        if squashed(line) not in words:
            yield f"the imprint's line “{line}” is missing; add {{{{ settings.imprint_in(…) }}}} as a whole."


def html_problems(page: str, values: LetterValues, settings: Settings) -> Iterator[str]:
    """What a letter's HTML loads, where it leads, and what its words say."""
    reader = read(page)
    for tag, given in reader.tags:
        if tag in _LOADING or _LOADING_ATTRIBUTES & given.keys():
            yield f"<{tag}> loads or asks for something; a letter is words and links alone, take it out."
    if _LOADING_STYLE.search(page):
        yield "a style loads something; take url(…) and @import out."
    imprint = settings.imprint_in(values.language)
    allowed = _links(values, settings).values()
    for url in (given.get("href") for tag, given in reader.tags if tag == "a"):
        if url is None or (url not in allowed and url.removeprefix("mailto:") not in imprint):
            yield _leads_elsewhere(url or "nowhere")
    yield from letter_problems(reader.text, values, settings)


def _links(values: LetterValues, settings: Settings) -> dict[str, str]:
    return {
        "the link to confirm ({{ letter.confirm_url }})": values.confirm_url,
        "the link for whoever did not sign up ({{ letter.not_me_url }})": values.not_me_url,
        "the privacy notice's address": settings.privacy_url_in(values.language),
    }


def _facts(values: LetterValues, settings: Settings) -> dict[str, str]:
    language, zone = values.language, settings.zone
    day, time, name = formatting.long_date, formatting.clock_time, formatting.zone_name
    return {
        "whose newsletter it is": settings.organisation,
        "on what day the address was entered": day(values.requested_at, language, zone),
        "at what time the address was entered": time(values.requested_at, language, zone),
        "in which time zone that is": name(values.requested_at, language, zone),
        "until what day the link is valid": day(values.expires_at, language, zone),
        "until what time the link is valid": time(values.expires_at, language, zone),
        "by what day the data will be deleted": day(values.deleted_by, language, zone),
    }


def _advertises(word: str) -> str:
    return f"“{word}” makes it an advertisement, which must not be sent unasked (LG Stendal, 22 S 87/20); take it out."


def _leads_elsewhere(url: str) -> str:
    return f"a link leads to {url}; keep the ones to confirm, to disown and to the privacy notice alone."


def _without(words: str, *known: str) -> str:
    """Words without what the settings brought, whose choice of words is another matter."""
    for text in known:
        words = words.replace(squashed(text), " ")
    return words
