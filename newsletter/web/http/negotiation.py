"""Content negotiation: JSON for programs, a page for people."""

from __future__ import annotations

from flask import request

_PAGE = ("text/html", "application/xhtml+xml")
_TEXT = ("text/plain",)
_JSON = ("application/json", "application/problem+json")

#: Blueprints that only programs use; their errors are never pages.
FOR_PROGRAMS = frozenset({"admin", "webhooks", "health", "metrics", "openapi"})


def wants_json() -> bool:
    """Whether the body is JSON, or Accept prefers JSON by name.

    Wildcards do not count: browsers send them beside HTML, scripts beside JSON.
    """
    return request.is_json or _named_quality(_JSON) > _named_quality(_PAGE)


def wants_text() -> bool:
    """Whether Accept prefers plain text to JSON by name."""
    return _named_quality(_TEXT) > _named_quality(_JSON)


def wants_page() -> bool:
    """Whether the answer is a page: browsers name HTML in Accept, programs do not."""
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
