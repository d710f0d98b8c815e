"""How dates, times and plain text look: pure functions that templates use as filters.

The language is an argument, since e-mails are written outside any request.
"""

from __future__ import annotations

import re
import textwrap
from datetime import date, datetime, tzinfo

from babel import Locale, dates
from flask import Flask
from markupsafe import Markup, escape

from newsletter.domain.clock import as_moment

#: Characters. RFC 5322 § 2.1.1 recommends 78 at most; this leaves room for quotation marks.
LINE_WIDTH = 72

#: Day before month and 24 hours in English, too: the readers are in Europe, and a deadline must have one meaning.
_CONVENTIONS = {"de": Locale("de", "DE"), "en": Locale("en", "GB")}
_WEB_URL = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]")


def long_date(value: date, locale: str, zone: tzinfo) -> str:
    """Write a day in words, such as 2. Januar 2026; a moment's day depends on the zone."""
    day = value.astimezone(zone) if isinstance(value, datetime) else value
    return dates.format_date(day, "long", _CONVENTIONS[locale])


def clock_time(value: datetime, locale: str, zone: tzinfo, *, with_seconds: bool = False) -> str:
    """Write the time of day to the minute, such as 15:04, or to the second, rounded down."""
    form = "medium" if with_seconds else "short"
    return dates.format_time(value.astimezone(zone), form, locale=_CONVENTIONS[locale])


def zone_name(value: datetime, locale: str, zone: tzinfo) -> str:
    """Name the zone at that moment, such as MEZ; the offset if it has no short name."""
    return dates.get_timezone_name(value.astimezone(zone), "short", locale=_CONVENTIONS[locale])


def moment(value: datetime, locale: str, zone: tzinfo, *, with_seconds: bool = False) -> str:
    """Write day, time and zone, such as 2. Januar 2026, 15:04 Uhr (MEZ), or 2 January 2026, 15:04 (CET)."""
    time = clock_time(value, locale, zone, with_seconds=with_seconds)
    if locale == "de":
        time = f"{time} Uhr"
    return f"{long_date(value, locale, zone)}, {time} ({zone_name(value, locale, zone)})"


def paragraph(text: str, indent: str = "", hanging: str = "") -> str:
    """Fill one paragraph to LINE_WIDTH without breaking a word, so that every link stays whole.

    `hanging` is the additional indent of all lines but the first.
    """
    # A no-break space is kept: only ordinary white space may become a line break.
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
    """Escape plain text for HTML and turn every web address in it into a link."""
    pieces, end = Markup(), 0
    for url in _WEB_URL.finditer(text):
        pieces += escape(text[end : url.start()])
        pieces += Markup('<a href="{0}">{0}</a>').format(url[0])
        end = url.end()
    return pieces + escape(text[end:])


def register(app: Flask) -> None:
    for function in (long_date, clock_time, zone_name, moment, as_moment, paragraph, linked):
        app.add_template_filter(function)
