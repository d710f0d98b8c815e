"""A view's entry in the API description: its decorator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from newsletter.web.http.bodies import FORMS

JSON = "application/json"
PAGE = "text/html"
TEXT = "text/plain"
JSON_OR_FORM = (JSON, *FORMS)
#: The problems of any request with a body.
BODY_PROBLEMS = ("bad-request", "too-large", "unsupported-media-type", "invalid-request")

View = TypeVar("View", bound=Callable[..., Any])
#: An answer: a model (JSON), a media type, or None for an empty body.
Kind = type[BaseModel] | str | None


@dataclass(frozen=True)
class Endpoint:
    """Describes a view; a test checks every answer of the web process against it.

    `answers` are by status, `problems` are slugs of `http.errors`; `words` and `headers` belong to a status, too.
    """

    summary: str
    answers: Mapping[int, tuple[Kind, ...]]
    problems: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    media: tuple[str, ...] = (JSON,)
    bearer: Literal["required", "optional"] | None = None
    description: str = ""
    query: tuple[str, ...] = ()  #: of `words.PARAMETERS`
    words: Mapping[int, str] = field(default_factory=dict)
    headers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, view: View) -> View:
        view.__dict__["endpoint"] = self
        return view


def file_of(kind: str, summary: str) -> Endpoint:
    """Files of one media type; a range may be requested, or only a newer version."""
    return Endpoint(
        summary, {200: (kind,), 206: (kind,), 304: (None,)}, ("not-found", "http-error")
    )
