"""The e-mails: no advertising, and everything that the law requires (§ 7 UWG, Art. 13 GDPR, § 5 DDG)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.cli.check.law.reading import read, squashed
from newsletter.config import Settings
from newsletter.texts import formatting, lint_words
from newsletter.texts.letters import ConfirmationValues, LetterValues, MyDataValues, WayBackValues

_LOADING = {
    *("img", "picture", "svg", "video", "audio", "source", "iframe", "object", "embed"),
    *("link", "script", "form", "input", "button"),
}
_LOADING_ATTRIBUTES = {"src", "srcset", "background", "poster"}
_LOADING_STYLE = re.compile(r"url\(|@import", re.IGNORECASE)
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)]", re.IGNORECASE)


def subject_problems(subject: str, settings: Settings) -> Iterator[str]:
    yield from _advertising(subject.replace(settings.organisation, " "))


def letter_problems(text: str, values: LetterValues, settings: Settings) -> Iterator[str]:
    """What an e-mail's plain text must not say, or lacks."""
    words = squashed(text)
    yield from _word_problems(words, values, settings)
    for what, url in _links(values, settings).items():
        if url not in _own(words, values, settings).split():
            yield f"{what} is missing as text; add it on a line of its own."


def _own(words: str, values: LetterValues, settings: Settings) -> str:
    """What an e-mail says besides the consent text and the imprint."""
    return _without(words, _consent_text(values), settings.imprint_in(values.language))


def _consent_text(values: LetterValues) -> str:
    return values.consent_text if isinstance(values, ConfirmationValues) else ""


def _word_problems(words: str, values: LetterValues, settings: Settings) -> Iterator[str]:
    """What the words of either part must not say, or lack."""
    imprint = settings.imprint_in(values.language)
    own = _own(words, values, settings)
    links = _links(values, settings).values()
    yield from _advertising(_without(own, settings.organisation, *links))
    for url in _URL.findall(own):
        if url not in links and url not in imprint:
            yield _leads_elsewhere(url)
    for what, expected in _facts(values, settings).items():
        if squashed(expected) not in own:
            yield f"the e-mail does not say {what}; add it."
    ending, known_by = _ending(values)
    if not re.search(known_by, own, re.IGNORECASE):
        yield f"the e-mail does not say {ending}; add it."
    if _consent_text(values) not in words:
        yield "the consent text is not there word for word; add {{ letter.consent_text }}."
    for line in imprint.splitlines():
        if squashed(line) not in words:
            yield f"the imprint's line “{line}” is missing; add {{{{ settings.imprint_in(…) }}}} as a whole."


def html_problems(page: str, values: LetterValues, settings: Settings) -> Iterator[str]:
    """What an e-mail's HTML loads and links to, and what its words must not say, or lack."""
    reader = read(page)
    for tag, given in reader.tags:
        if tag in _LOADING or _LOADING_ATTRIBUTES & given.keys():
            yield f"<{tag}> loads or asks for something; remove it, an e-mail has only text and links."
    if _LOADING_STYLE.search(page):
        yield "a style loads something; remove url(…) and @import."
    yield from _word_problems(squashed(reader.text), values, settings)
    hrefs = [given.get("href") for tag, given in reader.tags if tag == "a"]
    yield from _link_problems(hrefs, squashed(reader.text), values, settings)


def _link_problems(
    hrefs: list[str | None], words: str, values: LetterValues, settings: Settings
) -> Iterator[str]:
    """Which of an e-mail's links lead elsewhere, or are missing."""
    links, imprint = _links(values, settings), settings.imprint_in(values.language)
    for href in hrefs:
        is_of_imprint = href is not None and href.removeprefix("mailto:") in imprint
        if href not in links.values() and not is_of_imprint:
            yield _leads_elsewhere(href or "nowhere")
    for what, url in links.items():
        if url not in hrefs:
            yield f"{what} is missing; add a link to it."
    what, url = next(iter(links.items()))
    if url not in words.split():
        yield f"{what} is missing as text, for programs that show no links; add it below the link."


def _links(values: LetterValues, settings: Settings) -> dict[str, str]:
    """The only links that an e-mail has, by their purpose."""
    privacy = {"the privacy notice's address": settings.privacy_url_in(values.language)}
    match values:
        case ConfirmationValues():
            return {
                "the link to confirm ({{ letter.confirm_url }})": values.confirm_url,
                "the link for a person who did not sign up ({{ letter.not_me_url }})": values.not_me_url,
                **privacy,
            }
        case WayBackValues():
            return {
                "the link to Mailchimp's form ({{ letter.signup_url }})": values.signup_url,
                "the link to withdraw ({{ letter.unsubscribe_url }})": values.unsubscribe_url,
                **privacy,
            }
        case MyDataValues():
            return {
                "the link to the data ({{ letter.my_data_url }})": values.my_data_url,
                **privacy,
            }


def _facts(values: LetterValues, settings: Settings) -> dict[str, str]:
    """The texts that an e-mail contains literally, by their meaning."""
    language, zone = values.language, settings.zone
    day, time, name = formatting.long_date, formatting.clock_time, formatting.zone_name
    whose = {"whose newsletter it is": settings.organisation}
    match values:
        case ConfirmationValues():
            return {
                **whose,
                "on what day the address was entered": day(values.requested_at, language, zone),
                "at what time the address was entered": time(values.requested_at, language, zone),
                "in which time zone that is": name(values.requested_at, language, zone),
                "until what day the link is valid": day(values.expires_at, language, zone),
                "until what time the link is valid": time(values.expires_at, language, zone),
                "by what day the data will be deleted": day(values.deleted_by, language, zone),
            }
        case WayBackValues():
            return {
                **whose,
                "on what day the person confirmed": day(values.confirmed_at, language, zone),
                "whose form it leads to": "Mailchimp",
            }
        case MyDataValues():
            return {
                **whose,
                "on what day the link was asked for": day(values.requested_at, language, zone),
                "at what time the link was asked for": time(values.requested_at, language, zone),
                "in which time zone that is": name(values.requested_at, language, zone),
                "until what day the link is valid": day(values.expires_at, language, zone),
                "until what time the link is valid": time(values.expires_at, language, zone),
            }


def _ending(values: LetterValues) -> tuple[str, str]:
    """What an e-mail says about ignoring it, and the words by which that is recognised."""
    match values:
        case ConfirmationValues():
            return "that ignoring it ends in deletion", lint_words.DELETION[values.language]
        case WayBackValues() | MyDataValues():
            return "that nothing has to be done", lint_words.INACTION[values.language]


def _advertising(words: str) -> Iterator[str]:
    if found := re.search(lint_words.ADVERTISING, words, re.IGNORECASE):
        yield (
            f"“{found[0]}” makes it an advertisement, which must not be sent unasked (LG Stendal, 22 S 87/20);"
            " remove it."
        )


def _leads_elsewhere(url: str) -> str:
    return f"a link leads to {url}; keep only those that the e-mail is for and the privacy notice."


def _without(words: str, *known: str) -> str:
    """The words without texts that come from the settings."""
    for text in filter(None, known):
        words = words.replace(squashed(text), " ")
    return words
