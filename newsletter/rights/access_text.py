"""An access export in words, German or English: in parts for a page, or as plain text."""

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

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """A label and its value."""

    label: str
    value: str


@dataclass(frozen=True)
class Part:
    """Lines under a heading, or a `quote` in its own `language`; `name` is the key in `LABEL`."""

    name: str
    title: str
    lines: tuple[Line, ...] = ()
    quote: str | None = None
    language: str | None = None


def plain(export: Json, locale: Locale) -> str:
    """The export as plain text."""
    title = LABEL["title"][locale]
    blocks = [f"{title}\n{'=' * len(title)}", *(_block(part) for part in parts(export, locale))]
    return "\n\n".join(blocks) + "\n"


def language_of(export: Json) -> Locale:
    """The person's language; the default language if their data is deleted."""
    return export.get("language") or config.current().default_locale


def parts(export: Json, locale: Locale) -> list[Part]:
    """The export in parts; during an erasure, only that it is under way."""
    if "email" not in export:
        return [_part("data", locale, _lines(export, locale, "reference", "status", "erasure_id"))]
    found = [*_of_person(export, locale), *_duties(export, locale)]
    for relative in export.get("related") or ():
        first, *rest = _of_person(relative, locale)
        found += [_part("related", locale, first.lines), *rest]
    return found


def summary(export: Json, locale: Locale) -> list[Line]:
    """The address and its status."""
    return list(_lines(_as_unblocked(export), locale, "email", "status", "since"))


def _of_person(export: Json, locale: Locale) -> Iterator[Part]:
    names = ("reference", "email", "status", "reason", "since", "expires_at", "left_at")
    status = _lines(_as_unblocked(export), locale, *names)
    lines = _lines(export, locale, "language", "hold", "mailchimp", "erasure_id")
    yield _part("data", locale, (*status, *lines))
    yield _part("events", locale, (_event(event, locale) for event in export["events"]))
    if export["letters"]:
        letters = (line for letter in export["letters"] for line in _letter(letter, locale))
        elsewhere = Line(LABEL["word_for_word"][locale], LABEL["in_the_file"][locale])
        yield _part("letters", locale, (*letters, elsewhere))
    if export.get("imported"):
        yield _part("imported", locale, takeover_lines(export["imported"], locale))
    if export["wording"]:
        agreed = export["wording"]
        title = LABEL["wording"][locale]
        yield Part("wording", title, quote=agreed["text"], language=agreed["language"])


#: What is shown after unblocking instead of the status.
_LIFTED = {Status.BLOCKED: "lifted", Status.RETURNING: "lifted and returning"}


def _as_unblocked(export: Json) -> Json:
    """Unblocking leaves the status at blocked: show it as unblocked, without a reason."""
    blocks = [
        event for event in export["events"] if event["event"] in (Event.BLOCKED, Event.LIFTED)
    ]
    if export["status"] not in _LIFTED or not blocks or blocks[-1]["event"] != Event.LIFTED:
        return export
    # Unblocking does not change `since` either.
    since = max(export["since"], blocks[-1]["at"], key=datetime.fromisoformat)
    return {**export, "status": _LIFTED[export["status"]], "reason": None, "since": since}


def _duties(export: Json, locale: Locale) -> Iterator[Part]:
    names = ("purpose", "origin", "recipients", "safeguards", "retention", "automated_decisions")
    yield _part("about", locale, _lines(export, locale, *names))
    rights = (Line(LABEL["entitled"][locale], "; ".join(export["rights"])),)
    authority = export["authority"] or LABEL["any_authority"][locale]
    rest = _lines(export, locale, "controller", "contact", "privacy_notice")
    lines = (*rights, Line(LABEL["authority"][locale], authority), *rest)
    yield _part("rights", locale, lines)


def _part(name: str, locale: Locale, lines: Iterable[Line]) -> Part:
    return Part(name, LABEL[name][locale], tuple(lines))


def _lines(export: Json, locale: Locale, *names: str) -> Iterator[Line]:
    for name in names:
        value = _value(name, export.get(name), locale)
        if value is not None:
            yield Line(LABEL[name][locale], value)


def _value(name: str, value: Any, locale: Locale) -> str | None:
    """A field's value in words; None if it is empty."""
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


def _event(event: Json, locale: Locale) -> Line:
    text = access_words.EVENT[event["event"]][locale]
    if "reason" in event:
        text += f": {access_words.REASON[event['reason']][locale]}"
    if "detail" in event:
        text += f": {detail(event['detail'], locale)}"
    text += f" ({_actor(event['actor'], locale)})" if "actor" in event else ""
    return Line(_moment(event["at"], locale, with_seconds=True), text)


def takeover_lines(stated: Json, locale: Locale) -> Iterator[Line]:
    """What was stated of a consent that was taken over; also that no time was stated."""
    names = ("requested_at", "source", "note", "service", "row", "file", "file_name")
    if not stated.get("confirmed_at"):
        proof = access_words.ORIGIN["without_proof"][locale]
        yield Line(LABEL["confirmed_at"][locale], proof)
    yield from _lines(stated, locale, "confirmed_at", *names)
    if stated.get("wording"):
        yield Line(LABEL["wording"][locale], stated["wording"])


def detail(code: str, locale: Locale) -> str:
    """The detail of an event in words; codes of other servers stay as they are."""
    pieces = [
        (next((words[each] for words in _CODES if each in words), None), each)
        for each in code.split(": ")
    ]
    return ": ".join(known[locale] if known else each for known, each in pieces)


_CODES = (access_words.LETTER, access_words.PLACE, access_words.DETAIL, access_words.ORIGIN)


def _actor(name: str, locale: Locale) -> str:
    known = access_words.ACTOR.get(name)
    return known[locale] if known else f"{LABEL['actor'][locale]}: {name}"


def _letter(letter: Json, locale: Locale) -> Iterator[Line]:
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
