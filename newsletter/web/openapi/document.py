"""The description of every door (OpenAPI 3.1), written beside each view with `describe`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from flask import Blueprint, Flask, Response, current_app, jsonify
from flask_babel import force_locale
from pydantic import BaseModel
from werkzeug.routing import Rule

from newsletter import config
from newsletter.web.http import errors
from newsletter.web.http.bodies import FORMS
from newsletter.web.http.error_texts import TEXTS
from newsletter.web.openapi import components, contract
from newsletter.web.openapi.contract import ref

JSON = "application/json"
PAGE = "text/html"
TEXT = "text/plain"
JSON_OR_FORM = (JSON, *FORMS)

_VERSION = "1.0.0"  #: of the contract, not of the package
_ON_REQUEST = frozenset({"HEAD", "OPTIONS"})  #: Flask answers these by itself
#: What reading a body may end with, of whatever kind it is.
UNREAD = ("bad-request", "too-large", "unsupported-media-type", "invalid-request")

bp = Blueprint("openapi", __name__)
View = TypeVar("View", bound=Callable[..., Any])
Kind = type[BaseModel] | str | None


@dataclass(frozen=True)
class Door:
    """What callers may know of a view. An answer: a model (JSON), a media type or None (empty).

    `problems` are slugs; `words` and `headers` belong to the answers of a status.
    """

    summary: str
    answers: Mapping[int, tuple[Kind, ...]]
    problems: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    media: tuple[str, ...] = (JSON,)
    bearer: Literal["needed", "welcome"] | None = None
    description: str = ""
    parameters: tuple[str, ...] = ()  #: of `contract.PARAMETERS`
    words: Mapping[int, str] = field(default_factory=dict)
    headers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[int, dict[str, Any]] = field(default_factory=dict)


def file_of(kind: str, summary: str) -> Door:
    """A door to files of one media type; a part of one may be asked for, or only a newer one."""
    answers: dict[int, tuple[Kind, ...]] = {200: (kind,), 206: (kind,), 304: (None,)}
    return Door(summary, answers, ("not-found", "http-error"))


_STATIC = file_of("*/*", "A style sheet, script or image of the pages.")


def describe(door: Door) -> Callable[[View], View]:
    """Describe the view it decorates; every view has to be."""

    def keep(view: View) -> View:
        view.__dict__["door"] = door
        return view

    return keep


@bp.get("/openapi.json")
@describe(Door("This description.", {200: (JSON,)}))
def show() -> Response:
    """Answer with the description of all doors."""
    return jsonify(document())


def document() -> dict[str, Any]:
    """The description of all doors of the application at work; made once, as it never changes."""
    extensions: dict[str, Any] = current_app.extensions
    if "openapi" not in extensions:
        with force_locale("en"):
            extensions["openapi"] = _build(current_app)
    made: dict[str, Any] = extensions["openapi"]
    return made


def path_of(rule: Rule) -> str:
    """A rule's path as OpenAPI writes it: `/confirm/<token>` is `/confirm/{token}`."""
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)


def _build(app: Flask) -> dict[str, Any]:
    settings = config.current()
    paths: dict[str, dict[str, Any]] = {}
    models: set[type[BaseModel]] = set()
    for rule, door in _doors(app):
        operations = paths.setdefault(path_of(rule), {})
        for method in sorted((rule.methods or set()) - _ON_REQUEST):
            operations[method.lower()] = _operation(rule, door, method)
        models.update(_models_of(door))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Newsletter sign-up with double opt-in",
            "version": _VERSION,
            "description": contract.INTRODUCTION,
            "contact": {"name": settings.organisation, "email": settings.contact_email},
        },
        "servers": [{"url": settings.public_url}],
        "tags": [{"name": name, "description": it} for name, it in contract.AUDIENCES.items()],
        "paths": paths,
        "components": components.build(models),
    }


def _doors(app: Flask) -> Iterator[tuple[Rule, Door]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            yield rule, _STATIC
        else:
            yield rule, app.view_functions[rule.endpoint].__dict__["door"]


def _operation(rule: Rule, door: Door, method: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "tags": [contract.audience_of(rule)],
        "summary": door.summary,
        "operationId": f"{rule.endpoint}.{method.lower()}",
        "parameters": contract.parameters_of(rule) + [ref(name) for name in door.parameters],
        "responses": _responses(door, with_page=not contract.is_for_programs(rule)),
    }
    if door.description:
        operation["description"] = door.description
    if door.body is not None:
        operation["requestBody"] = components.request_body(door.body, door.media)
    if door.bearer is not None:
        operation["security"] = [{"token": []}] + [{}] * (door.bearer == "welcome")
    return operation


def _responses(door: Door, *, with_page: bool) -> dict[str, Any]:
    statuses: dict[int, list[str]] = {status: [] for status in door.answers}
    for slug in (*door.problems, "internal-error"):
        statuses.setdefault(errors.STATUS_OF[slug], []).append(slug)
    return {
        str(status): _response(door, status, slugs, with_page=with_page)
        for status, slugs in sorted(statuses.items())
    }


def _response(door: Door, status: int, slugs: list[str], *, with_page: bool) -> dict[str, Any]:
    kinds = door.answers.get(status, ())
    content = components.content_of(kinds)
    if slugs:
        content |= components.problems(slugs) | ({PAGE: components.TEXT} if with_page else {})
    response: dict[str, Any] = {
        "description": door.words.get(status) or _words(status, kinds, slugs)
    }
    headers = contract.HEADERS_OF_STATUS.get(status, ()) + door.headers.get(status, ())
    if "unavailable" in slugs:
        headers += ("Retry-After",)
    if headers:
        response["headers"] = {name: ref(name, "headers") for name in headers}
    if content:
        response["content"] = content
    if status in door.links:
        response["links"] = door.links[status]
    return response


def _words(status: int, kinds: tuple[Kind, ...], slugs: list[str]) -> str:
    """What a status means, in words: of the model that is answered, else of the problems, else its phrase."""
    told = [kind.__doc__ for kind in kinds if isinstance(kind, type) and kind.__doc__]
    told += ["A page."] * (PAGE in kinds)
    told += [f"{TEXTS[slug].title}." for slug in slugs]
    return " ".join(told) or f"{HTTPStatus(status).phrase}."


def _models_of(door: Door) -> set[type[BaseModel]]:
    kinds = {kind for kinds in door.answers.values() for kind in kinds}
    return {kind for kind in {*kinds, door.body} if isinstance(kind, type)}
