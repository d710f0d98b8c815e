"""The description of every door (OpenAPI 3.1), written beside each view with `describe`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, current_app, jsonify
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from newsletter import config
from newsletter.web.bodies import FORMS
from newsletter.web.schemas import Problem

JSON = "application/json"
PAGE = "text/html"
JSON_OR_FORM = (JSON, *FORMS)

_VERSION = "1.0.0"  #: of the contract, not of the package
_ON_REQUEST = frozenset({"HEAD", "OPTIONS"})  #: Flask answers these by itself
_REF = "#/components/schemas/{model}"

bp = Blueprint("openapi", __name__)
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Door:
    """What callers may know of a view. An answer: a model (JSON), a media type or None (empty)."""

    summary: str
    answers: Mapping[int, tuple[type[BaseModel] | str | None, ...]]
    problems: tuple[int, ...] = ()
    body: type[BaseModel] | None = None
    media: tuple[str, ...] = (JSON,)
    needs_token: bool = False


_STATIC = Door("A style sheet or image of the pages.", {200: ("*/*",)}, (404,))


def describe(door: Door) -> Callable[[View], View]:
    """Describe the view it decorates; every view has to be."""

    def keep(view: View) -> View:
        view.__dict__["door"] = door
        return view

    return keep


@bp.get("/openapi.json")
@describe(Door("This description.", {200: (JSON,)}))
def document() -> Response:
    """Answer with the description of all doors."""
    return jsonify(build(current_app))


def build(app: Flask) -> dict[str, Any]:
    """Describe all doors of an application."""
    paths: dict[str, dict[str, Any]] = {}
    models: set[type[BaseModel]] = {Problem}
    for rule, door in _doors(app):
        operations = paths.setdefault(path_of(rule), {})
        for method in sorted((rule.methods or set()) - _ON_REQUEST):
            operations[method.lower()] = _operation(rule, door, method)
        models.update(_models_of(door))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Newsletter sign-up with double opt-in", "version": _VERSION},
        "servers": [{"url": config.current().public_url}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": _schemas(models),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def path_of(rule: Rule) -> str:
    """A rule's path as OpenAPI writes it: `/confirm/<token>` is `/confirm/{token}`."""
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)


def _doors(app: Flask) -> Iterator[tuple[Rule, Door]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            yield rule, _STATIC
        else:
            yield rule, app.view_functions[rule.endpoint].__dict__["door"]


def _operation(rule: Rule, door: Door, method: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": door.summary,
        "operationId": f"{rule.endpoint}.{method.lower()}",
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in sorted(rule.arguments)
        ],
        "responses": {str(status): _answer(status, kinds) for status, kinds in door.answers.items()}
        | {str(status): _problem(status) for status in (*door.problems, 500)},
    }
    if door.body is not None:
        schema = {"schema": {"$ref": _REF.format(model=door.body.__name__)}}
        operation["requestBody"] = {"content": dict.fromkeys(door.media, schema)}
    if door.needs_token:
        operation["security"] = [{"token": []}]
    return operation


def _answer(status: int, kinds: tuple[type[BaseModel] | str | None, ...]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for kind in kinds:
        if isinstance(kind, str):
            content[kind] = {}
        elif kind is not None:
            content[JSON] = {"schema": {"$ref": _REF.format(model=kind.__name__)}}
    return {"description": HTTPStatus(status).phrase} | ({"content": content} if content else {})


def _problem(status: int) -> dict[str, Any]:
    problem = {"schema": {"$ref": _REF.format(model=Problem.__name__)}}
    content = {"application/problem+json": problem, PAGE: {}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _models_of(door: Door) -> set[type[BaseModel]]:
    kinds = {kind for kinds in door.answers.values() for kind in kinds}
    return {kind for kind in {*kinds, door.body} if isinstance(kind, type)}


def _schemas(models: set[type[BaseModel]]) -> dict[str, Any]:
    wanted = [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)]
    _, schemas = models_json_schema(wanted, ref_template=_REF)  # type: ignore[arg-type]  # a literal
    definitions: dict[str, Any] = schemas["$defs"]
    return definitions
