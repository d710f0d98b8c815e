"""The parts of the description that doors share: schemas, examples, parameters, headers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from newsletter.web.http import errors
from newsletter.web.http.error_texts import TEXTS
from newsletter.web.openapi import contract
from newsletter.web.openapi.contract import ref
from newsletter.web.schemas.public import Problem

JSON = "application/json"
TEXT: dict[str, Any] = {"schema": {"type": "string"}}

Schema = dict[str, Any]


def build(models: set[type[BaseModel]]) -> dict[str, Any]:
    """All of `components`; the schemas are those of the models and of what they are made of."""
    return {
        "schemas": schemas(models | {Problem}),
        "parameters": dict(contract.PARAMETERS),
        "headers": dict(contract.HEADERS),
        "examples": {slug: _example_of_problem(slug) for slug in errors.STATUS_OF},
        "securitySchemes": {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "One of ADMIN_TOKENS. Its name goes into the record of what was done.",
            }
        },
    }


def schemas(models: Iterable[type[BaseModel]]) -> dict[str, Schema]:
    """The schema of each model by name, as it is sent or answered."""
    wanted = [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)]
    _, made = models_json_schema(wanted, ref_template=ref("{model}", "schemas")["$ref"])  # type: ignore[arg-type]  # a literal
    found: dict[str, Schema] = made["$defs"]
    return found


def schema_of(model: type[BaseModel]) -> Schema:
    return schemas({model})[model.__name__]


def request_body(model: type[BaseModel], media: tuple[str, ...]) -> dict[str, Any]:
    """A body in each of its media types. A form has no null, no number and nothing nested."""
    schema = schema_of(model)
    form = _as_form(schema)
    content = {
        kind: {"schema": ref(model.__name__, "schemas"), "example": example_of(schema)}
        if kind == JSON
        else {"schema": form, "example": example_of(form)}
        for kind in media
    }
    return {"required": bool(schema.get("required")), "content": content}


def content_of(kinds: tuple[type[BaseModel] | str | None, ...]) -> dict[str, Any]:
    """An answer in each of its media types."""
    content: dict[str, Any] = {}
    models = [kind for kind in kinds if isinstance(kind, type)]
    for kind in kinds:
        if isinstance(kind, str):
            content[kind] = TEXT if kind.startswith("text/") else {}
    if models:
        refs = [ref(model.__name__, "schemas") for model in models]
        content[JSON] = {
            "schema": refs[0] if len(refs) == 1 else {"anyOf": refs},
            "example": example_of(schema_of(models[0])),
        }
    return content


def problems(slugs: list[str]) -> dict[str, Any]:
    """What programs are told of problems that share a status."""
    examples = {slug: ref(slug, "examples") for slug in slugs}
    schema = ref(Problem.__name__, "schemas")
    return {"application/problem+json": {"schema": schema, "examples": examples}}


def example_of(schema: Schema) -> dict[str, Any]:
    """An object made of the examples of its fields; those without any are left out."""
    return {
        name: each["examples"][0] if "examples" in each else each["const"]
        for name, each in schema["properties"].items()
        if "examples" in each or "const" in each
    }


def _as_form(schema: Schema) -> Schema:
    fields = {name: _as_field(each) for name, each in schema["properties"].items()}
    form = {**schema, "properties": fields}
    if not schema.get("required"):
        del form["type"]  # whatever text is sent is a form without these fields
    return form


def _as_field(schema: Schema) -> Schema:
    kept = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    for option in schema.get("anyOf", ()):
        if option["type"] != "null":
            kept |= option
    if "enum" in kept:
        kept["enum"] = [value for value in kept["enum"] if isinstance(value, str)]
    return {"type": "string"} | kept


def _example_of_problem(slug: str) -> dict[str, Any]:
    fields = [{"field": "email", "reason": "missing"}] if slug == "invalid-request" else None
    return {
        "summary": str(TEXTS[slug].title),
        "value": errors.problem(slug, errors.STATUS_OF[slug], fields),
    }
