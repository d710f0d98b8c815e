"""How dates, times and plain text look: pure functions; those for people are filters of every template.

None of them asks for the request's language: letters are written where there is no request.
"""

from __future__ import annotations

import re
import textwrap
from datetime import date, datetime, tzinfo

from babel import Locale, dates
from flask import Flask
from markupsafe import Markup, escape

from newsletter.domain.clock import as_moment

LINE_WIDTH = (
    72  #: characters; what RFC 5322 § 2.1.1 asks for (78), with room for a quotation mark or two
)

#: Day before month and 24 hours, in English too: the readers are in Europe, and a deadline has one meaning.
_CONVENTIONS = {"de": Locale("de", "DE"), "en": Locale("en", "GB")}
_WEB_URL = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]")


def long_date(value: date, locale: str, zone: tzinfo) -> str:
    """Write a day in words, such as 2. Januar 2026; a moment's day depends on the zone."""
    day = value.astimezone(zone) if isinstance(value, datetime) else value
    return dates.format_date(day, "long", _CONVENTIONS[locale])


def clock_time(value: datetime, locale: str, zone: tzinfo, *, with_seconds: bool = False) -> str:
    """Write the time of day to the minute, such as 15:04, or to the second; what is less is cut off."""
    form = "medium" if with_seconds else "short"
    return dates.format_time(value.astimezone(zone), form, locale=_CONVENTIONS[locale])


def zone_name(value: datetime, locale: str, zone: tzinfo) -> str:
    """Name the zone as it is at that moment, such as MEZ, or its offset where no short name is in use."""
    return dates.get_timezone_name(value.astimezone(zone), "short", locale=_CONVENTIONS[locale])


def moment(value: datetime, locale: str, zone: tzinfo, *, with_seconds: bool = False) -> str:
    """Write day, time and zone, such as 2. Januar 2026, 15:04 (MEZ)."""
    time = clock_time(value, locale, zone, with_seconds=with_seconds)
    name = zone_name(value, locale, zone)
    return f"{long_date(value, locale, zone)}, {time} ({name})"


def paragraph(text: str, indent: str = "", hanging: str = "") -> str:
    """Fill one paragraph to LINE_WIDTH without breaking a word, so that every link stays whole.

    `hanging` indents all lines but the first still more.
    """
    # Only ordinary white space may become a line break: a no-break space was meant.
    words = re.sub(r"[ \t\r\n]+", " ", text).strip(" ")
    return textwrap.fill(
        words,
        LINE_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def linked(text: str) -> Markup:
    """Escape a plain text for HTML and make a link of every web address in it, its words unchanged."""
    pieces, end = Markup(), 0
    for url in _WEB_URL.finditer(text):
        pieces += escape(text[end : url.start()])
        pieces += Markup('<a href="{0}">{0}</a>').format(url[0])
        end = url.end()
    return pieces + escape(text[end:])


def register(app: Flask) -> None:
    """Make the functions of this module filters of the application's templates."""
    for function in (long_date, clock_time, zone_name, as_moment, paragraph, linked):
        app.add_template_filter(function)
