"""Who is asking: a program, which is answered in JSON, or a person, who is answered with a page."""

from __future__ import annotations

from flask import request

_PAGE = ("text/html", "application/xhtml+xml")
_TEXT = ("text/plain",)
_JSON = ("application/json", "application/problem+json")

#: Doors that only programs use; their errors are never pages.
FOR_PROGRAMS = frozenset({"admin", "webhooks", "health", "openapi"})


def wants_json() -> bool:
    """Tell whether JSON is meant: by a JSON body, or by an Accept that prefers it by name.

    A wildcard prefers nothing: browsers send it beside HTML's name, and scripts beside JSON's.
    """
    return request.is_json or _named_quality(_JSON) > _named_quality(_PAGE)


def wants_text() -> bool:
    """Tell whether plain text is meant: by an Accept that prefers it to JSON by name."""
    return _named_quality(_TEXT) > _named_quality(_JSON)


def wants_page() -> bool:
    """Tell whether an error is to be a page: a person's browser names HTML, and no program does."""
    if request.blueprint in FOR_PROGRAMS:
        return False
    return not wants_json() and _named_quality(_PAGE) > 0


def _named_quality(names: tuple[str, ...]) -> float:
    qualities = (
        quality
        for value, quality in request.accept_mimetypes
        if value.partition(";")[0].strip().lower() in names
    )
    return max(qualities, default=0.0)
