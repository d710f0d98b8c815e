"""Template filters of the pages."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from newsletter.texts import formatting
from sandbox.environment import COMPANY
from sandbox.language import present

ZONE = ZoneInfo(COMPANY["TIMEZONE"])  #: the zone of the letters' times, too
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")


def linked(text: str) -> Markup:
    """Plain text with clickable links, everything else escaped."""
    parts, end = [Markup()], 0
    for found in _LINK.finditer(text):
        link = escape(found.group())
        parts.append(escape(text[end : found.start()]))
        parts.append(Markup('<a href="{0}" target="_blank" rel="noopener">{0}</a>').format(link))
        end = found.end()
    return Markup().join([*parts, escape(text[end:])])


def moment(at: datetime) -> str:
    """A time with its date and the name of its zone, as the service's pages write it."""
    return formatting.moment(at, present(), ZONE, with_seconds=True)


def clock(at: datetime | str) -> str:
    """A time of today; as text it is in ISO 8601."""
    return f"{_read(at):%H:%M:%S}"


def clock_in_zone(at: datetime | str) -> str:
    """A time of today with the name of its zone."""
    return f"{clock(at)} {formatting.zone_name(_read(at), present(), ZONE)}"


def _read(at: datetime | str) -> datetime:
    return (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(ZONE)


def pretty(value: Any) -> str:
    """A JSON body, indented."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def form(body: bytes) -> str:
    """A form's body, one field a line."""
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    return "\n".join(f"{name} = {value}" for name, value in pairs)


FILTERS = {each.__name__: each for each in (linked, moment, clock, clock_in_zone, pretty, form)}
