"""The report of an erasure in words, German or English."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from newsletter import config
from newsletter.config import Locale
from newsletter.texts import erasure_words
from newsletter.texts.formatting import moment


def plain(found: dict[str, Any], locale: Locale) -> str:
    """What `erasure_report.find` returns, as plain text. The signed receipt is only in the JSON."""
    return "\n".join([*_state(found, locale), *_report(found["report"], locale)]) + "\n"


def _state(found: dict[str, Any], locale: Locale) -> Iterator[str]:
    yield f"{_label('id', locale)}: {found['id']}"
    yield f"{_label('reference', locale)}: {found['reference']}"
    yield f"{_label('requested', locale)}: {_moment(found['requested_at'], locale)}"
    completed = found["completed_at"]
    until = _moment(completed, locale) if completed else _label("open", locale)
    yield f"{_label('completed', locale)}: {until}"
    for place in found["places"]:
        reason = f" ({place['reason']})" if place["reason"] else ""
        name = erasure_words.PLACE[place["place"]]
        yield f"{name.in_(locale)}: {erasure_words.STATE[place['state']].in_(locale)}{reason}"


def _report(report: dict[str, Any], locale: Locale) -> Iterator[str]:
    yield f"{_label('deleted', locale)}:"
    for there in report["deleted"]:
        yield f"  {erasure_words.PLACE[there['place']].in_(locale)}"
        yield from (f"  - {what['text']}" for what in there["what"])
        if there["note"]:
            yield f"  {there['note']}"
    yield f"{_label('kept', locale)}:"
    for kept in report["kept"]:
        articles = ", ".join(kept["articles"])
        yield f"  - {kept['text']}: {kept['why']}; {kept['period']} ({articles})"
    yield str(report["rights"])


def _label(name: str, locale: Locale) -> str:
    return erasure_words.LABEL[name].in_(locale)


def _moment(value: str, locale: Locale) -> str:
    return moment(datetime.fromisoformat(value), locale, config.current().zone)
