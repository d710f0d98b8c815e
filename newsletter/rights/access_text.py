"""An access export in words, German or English: parted for a page, or as plain text for a terminal and a letter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter import config
from newsletter.config import Locale
from newsletter.domain.lifecycle import Event, Status
from newsletter.texts import access_words, formatting
from newsletter.texts.access_words import LABEL

Held = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """What something is, and its value."""

    label: str
    value: str


@dataclass(frozen=True)
class Part:
    """Lines under one heading, or a `quote`, word for word and in its own `language`; `name` is the code in `LABEL`."""

    name: str
    title: str
    lines: tuple[Line, ...] = ()
    quote: str | None = None
    language: str | None = None


def plain(held: Held, locale: Locale) -> str:
    """All of it as plain text."""
    title = LABEL["title"][locale]
    blocks = [f"{title}\n{'=' * len(title)}", *(_block(part) for part in parts(held, locale))]
    return "\n\n".join(blocks) + "\n"


def language_of(held: Held) -> Locale:
    """The language that the person of an export reads; the default one where nothing is left of them."""
    return held.get("language") or config.current().default_locale


def parts(held: Held, locale: Locale) -> list[Part]:
    """All of it, parted; of what is being erased nothing is left to be told but that."""
    if "email" not in held:
        return [_part("data", locale, _lines(held, locale, "reference", "status", "erasure_id"))]
    told = [*_of_person(held, locale), *_duties(held, locale)]
    for relative in held.get("related") or ():
        first, *rest = _of_person(relative, locale)
        told += [_part("related", locale, first.lines), *rest]
    return told


def _of_person(held: Held, locale: Locale) -> Iterator[Part]:
    names = ("reference", "email", "status", "reason", "since", "expires_at", "left_at")
    standing = _lines(_told_as_lifted(held), locale, *names)
    lines = _lines(held, locale, "language", "hold", "mailchimp", "erasure_id")
    yield _part("data", locale, (*standing, *lines))
    yield _part("events", locale, (_event(event, locale) for event in held["events"]))
    if held["letters"]:
        letters = (line for letter in held["letters"] for line in _letter(letter, locale))
        elsewhere = Line(LABEL["word_for_word"][locale], LABEL["in_the_file"][locale])
        yield _part("letters", locale, (*letters, elsewhere))
    if held["wording"]:
        agreed = held["wording"]
        title = LABEL["wording"][locale]
        yield Part("wording", title, quote=agreed["text"], language=agreed["language"])


#: What is told of whoever's block was lifted, instead of where the table has them.
_LIFTED = {Status.BLOCKED: "lifted", Status.RETURNING: "lifted and returning"}


def _told_as_lifted(held: Held) -> Held:
    """The same, but for whom a lifted block still stands: it is told as such, and has no reason any more."""
    turns = [event for event in held["events"] if event["event"] in (Event.BLOCKED, Event.LIFTED)]
    if held["status"] not in _LIFTED or not turns or turns[-1]["event"] != Event.LIFTED:
        return held
    # Lifting changes no status, by which `since` goes.
    since = max(held["since"], turns[-1]["at"], key=datetime.fromisoformat)
    return {**held, "status": _LIFTED[held["status"]], "reason": None, "since": since}


def _duties(held: Held, locale: Locale) -> Iterator[Part]:
    names = ("purpose", "origin", "recipients", "safeguards", "retention", "automated_decisions")
    yield _part("about", locale, _lines(held, locale, *names))
    rights = (Line(LABEL["entitled"][locale], "; ".join(held["rights"])),)
    authority = held["authority"] or LABEL["any_authority"][locale]
    rest = _lines(held, locale, "controller", "contact", "privacy_notice")
    told = (*rights, Line(LABEL["authority"][locale], authority), *rest)
    yield _part("rights", locale, told)


def _part(name: str, locale: Locale, lines: Iterable[Line]) -> Part:
    return Part(name, LABEL[name][locale], tuple(lines))


def _lines(held: Held, locale: Locale, *names: str) -> Iterator[Line]:
    for name in names:
        value = _value(name, held.get(name), locale)
        if value is not None:
            yield Line(LABEL[name][locale], value)


def _value(name: str, value: Any, locale: Locale) -> str | None:
    """A field's value in words; None where there is nothing to tell."""
    match name:
        case "email":
            return value or LABEL["digest"][locale]
        case "hold":
            return LABEL["yes" if value else "no"][locale]
        case "automated_decisions":
            return LABEL["none"][locale]
        case _ if value is None:
            return None
        case "status":
            return access_words.STATUS[value][locale]
        case "reason":
            return access_words.REASON[value][locale]
        case "language":
            return access_words.LANGUAGE[value][locale]
        case "mailchimp":
            return access_words.PLACE[value["status"]][locale]
        case "recipients":
            return "; ".join(value)
        case "controller":
            return ", ".join(value.splitlines())
        case _ if name.endswith("_at") or name == "since":
            return _moment(value, locale)
        case _:
            return str(value)


def _event(event: Held, locale: Locale) -> Line:
    told = access_words.EVENT[event["event"]][locale]
    if "reason" in event:
        told += f": {access_words.REASON[event['reason']][locale]}"
    if "detail" in event:
        told += f": {detail(event['detail'], locale)}"
    told += f" ({_actor(event['actor'], locale)})" if "actor" in event else ""
    return Line(_moment(event["at"], locale, with_seconds=True), told)


def detail(code: str, locale: Locale) -> str:
    """What was sent or where somebody stands; what another server said is told as it is."""
    pieces = [
        (access_words.LETTER.get(each) or access_words.PLACE.get(each), each)
        for each in code.split(": ")
    ]
    return ": ".join(known[locale] if known else each for known, each in pieces)


def _actor(name: str, locale: Locale) -> str:
    known = access_words.ACTOR.get(name)
    return known[locale] if known else f"{LABEL['actor'][locale]} ({name})"


def _letter(letter: Held, locale: Locale) -> Iterator[Line]:
    times = [
        f"{LABEL[name][locale]}: {_moment(letter[name], locale)}"
        for name in ("written_at", "sent_at", "failed_at")
        if letter[name]
    ]
    yield Line(access_words.LETTER[letter["kind"]][locale], "; ".join(times))
    yield from _lines(letter, locale, "message_id", "reply")


def _moment(value: str, locale: Locale, *, with_seconds: bool = False) -> str:
    zone = config.current().zone
    at = datetime.fromisoformat(value)
    return formatting.moment(at, locale, zone, with_seconds=with_seconds)


def _block(part: Part) -> str:
    body = [
        formatting.paragraph(f"{line.label}: {line.value}", hanging="  ") for line in part.lines
    ]
    if part.quote is not None:
        body.append(formatting.paragraph(part.quote, indent="  "))
    return "\n".join([part.title, "-" * len(part.title), *body])
