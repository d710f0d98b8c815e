"""The API description (OpenAPI 3.1), built from the decorators of the views."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify
from flask_babel import force_locale
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from newsletter import config
from newsletter.web.http import errors, negotiation
from newsletter.web.http.error_texts import TEXTS
from newsletter.web.openapi import words
from newsletter.web.openapi.endpoint import JSON, PAGE, Endpoint, Kind
from newsletter.web.schemas.problem import Problem

_VERSION = "1.0.0"  #: of the contract, not of the package
_AUTOMATIC = frozenset({"HEAD", "OPTIONS"})  #: answered by Flask itself

Json = dict[str, Any]

bp = Blueprint("openapi", __name__)


@bp.get("/openapi.json")
@Endpoint("This description.", {200: (JSON,)})
def show() -> Response:
    return jsonify(document())


def document() -> Json:
    """The description of the running application, built once."""
    extensions: Json = current_app.extensions
    if "openapi" not in extensions:
        with force_locale("en"):
            extensions["openapi"] = _build(current_app)
    description: Json = extensions["openapi"]
    return description


def path_of(rule: Rule) -> str:
    """A rule's path as OpenAPI writes it: `/confirm/<token>` is `/confirm/{token}`."""
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)


def _build(app: Flask) -> Json:
    settings = config.current()
    paths: dict[str, Json] = {}
    models: set[type[BaseModel]] = {Problem}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("desk."):
            continue  # pages for people alone
        endpoint: Endpoint = app.view_functions[rule.endpoint].__dict__["endpoint"]
        models |= _models_of(endpoint)
        for method in sorted((rule.methods or set()) - _AUTOMATIC):
            paths.setdefault(path_of(rule), {})[method.lower()] = _operation(rule, endpoint, method)
    token = {"type": "http", "scheme": "bearer", "description": "One of ADMIN_TOKENS."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Newsletter sign-up with double opt-in",
            "version": _VERSION,
            "description": words.INTRODUCTION,
            "contact": {"name": settings.organisation, "email": settings.contact_email},
        },
        "servers": [{"url": settings.public_url}],
        "tags": [{"name": name, "description": text} for name, text in words.TAGS.items()],
        "paths": paths,
        "components": {"schemas": _schemas(models), "securitySchemes": {"token": token}},
    }


def _operation(rule: Rule, endpoint: Endpoint, method: str) -> Json:
    blueprint = rule.endpoint.partition(".")[0]
    has_pages = blueprint not in negotiation.FOR_PROGRAMS
    languages = ("locale",) * has_pages + ("Accept-Language",)
    operation: Json = {
        "tags": [words.TAG_OF_BLUEPRINT.get(blueprint, words.PUBLIC)],
        "summary": endpoint.summary,
        "operationId": f"{rule.endpoint}.{method.lower()}",
        "parameters": [
            _parameter(name) for name in (*sorted(rule.arguments), *languages, *endpoint.query)
        ],
        "responses": _responses(endpoint, has_pages=has_pages),
    }
    if endpoint.description:
        operation["description"] = endpoint.description
    if endpoint.body is not None:
        operation["requestBody"] = _request_body(endpoint.body, endpoint.media)
    if endpoint.bearer is not None:
        operation["security"] = [{"token": []}] + [{}] * (endpoint.bearer == "optional")
    return operation


def _parameter(name: str) -> Json:
    where, meaning, example = words.PARAMETERS[name]
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": meaning,
        "schema": {"type": "string"},
        "example": example,
    }


def _responses(endpoint: Endpoint, *, has_pages: bool) -> Json:
    slugs: dict[int, list[str]] = {status: [] for status in endpoint.answers}
    for slug in (*endpoint.problems, "internal-error"):
        slugs.setdefault(errors.STATUS_OF[slug], []).append(slug)
    return {
        str(status): _response(endpoint, status, slugs[status], has_pages=has_pages)
        for status in sorted(slugs)
    }


def _response(endpoint: Endpoint, status: int, slugs: list[str], *, has_pages: bool) -> Json:
    content = _content(endpoint.answers.get(status, ()))
    if slugs:
        content["application/problem+json"] = {"schema": _ref(Problem)}
        if has_pages:
            content[PAGE] = {}
    said = endpoint.words.get(status) or ("" if slugs else HTTPStatus(status).phrase)
    links = [f"[{TEXTS[slug].title}]({errors.type_of(slug)})" for slug in slugs]
    response: Json = {"description": " · ".join([said] * bool(said) + links)}
    headers = [*words.HEADERS_OF_STATUS.get(status, ()), *endpoint.headers.get(status, ())]
    if "unavailable" in slugs:
        headers.append("Retry-After")
    if headers:
        response["headers"] = {name: words.HEADERS[name] for name in headers}
    if content:
        response["content"] = content
    return response


def _content(kinds: Iterable[Kind]) -> Json:
    """An answer by media type."""
    models = [_ref(kind) for kind in kinds if isinstance(kind, type)]
    content: Json = {kind: {} for kind in kinds if isinstance(kind, str)}
    if models:
        content[JSON] = {"schema": models[0] if len(models) == 1 else {"anyOf": models}}
    return content


def _request_body(model: type[BaseModel], media: tuple[str, ...]) -> Json:
    schema = _schemas({model})[model.__name__]
    form = {"schema": _as_form(schema)}
    content = {kind: {"schema": _ref(model)} if kind == JSON else form for kind in media}
    return {"required": bool(schema.get("required")), "content": content}


def _as_form(schema: Json) -> Json:
    """The schema for a form, which has no null, no numbers and no nesting."""
    form = {**schema, "properties": {k: _as_field(v) for k, v in schema["properties"].items()}}
    if not schema.get("required"):
        del form["type"]  # any text is a form without these fields
    return form


def _as_field(schema: Json) -> Json:
    options = [each for each in schema.get("anyOf", ()) if each["type"] != "null"]
    field = {"type": "string", **schema, **(options[0] if options else {})}
    if "enum" in field:
        field["enum"] = [value for value in field["enum"] if isinstance(value, str)]
    return {name: value for name, value in field.items() if name not in ("anyOf", "default")}


def _models_of(endpoint: Endpoint) -> set[type[BaseModel]]:
    kinds = [endpoint.body, *(kind for kinds in endpoint.answers.values() for kind in kinds)]
    return {kind for kind in kinds if isinstance(kind, type)}


def _schemas(models: Iterable[type[BaseModel]]) -> dict[str, Json]:
    ordered = sorted(models, key=lambda model: model.__name__)
    _, made = models_json_schema(
        [(model, "validation") for model in ordered], ref_template="#/components/schemas/{model}"
    )
    found: dict[str, Json] = made["$defs"]
    return found


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
