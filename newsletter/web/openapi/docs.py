"""The description of all doors as a page to read, made from the same document that programs get."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Blueprint, render_template
from markupsafe import Markup, escape

from newsletter.web.http import language
from newsletter.web.openapi.document import JSON, PAGE, Door, describe, document

bp = Blueprint("docs", __name__)

_OF_EVERY_DOOR = ("locale", "Accept-Language")

Json = dict[str, Any]


class Row(NamedTuple):
    """A parameter or a field, in words; backticks mark what is to be taken literally."""

    name: str
    type: str
    required: bool
    description: str


class Operation(NamedTuple):
    """A door with its place in the description; `id` is its place on the page."""

    path: str
    method: str
    described: Json

    @property
    def id(self) -> str:
        """What a link to it ends in."""
        return str(self.described["operationId"])

    @property
    def parameters(self) -> list[Row]:
        """What it alone takes in its URL; the languages are every door's."""
        resolved = map(_resolve, self.described["parameters"])
        return [_of_parameter(each) for each in resolved if each["name"] not in _OF_EVERY_DOOR]

    @property
    def fields(self) -> list[Row]:
        """What is sent."""
        media = self.described.get("requestBody", {}).get("content", {})
        schema = _resolve(next(iter(media.values()))["schema"]) if media else {"properties": {}}
        return [
            Row(name, _type_of(each), name in schema.get("required", ()), each["description"])
            for name, each in schema["properties"].items()
        ]


@bp.get("/docs")
@describe(Door("This description, as a page to read.", {200: (PAGE,)}))
def show() -> str:
    """Show every door: what it takes and what it answers."""
    parameters = document()["components"]["parameters"]
    return render_template(
        "pages/docs.html",
        document=document(),
        operations=list(operations()),
        languages=[_of_parameter(parameters[name]) for name in ("Locale", "Language")],
        example_call=example_call,
        other_locale=language.other(),
    )


def operations() -> Iterator[Operation]:
    """Every door of the description."""
    for path, methods in document()["paths"].items():
        for method, described in methods.items():
            yield Operation(path, method.upper(), described)


def _resolve(part: Json) -> Json:
    """What a part of the description is or points to."""
    while "$ref" in part:
        _, *names = part["$ref"].split("/")
        part = document()
        for name in names:
            part = part[name]
    return part


def _of_parameter(parameter: Json) -> Row:
    return Row(parameter["name"], parameter["in"], False, parameter["description"])


def _type_of(schema: Json) -> str:
    options = schema.get("anyOf", [schema])
    return " or ".join(_type(option) for option in options if option.get("type") != "null")


def _type(schema: Json) -> str:
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    words = str(schema.get("type", "anything"))
    return f"{words} ≤ {schema['maxLength']}" if "maxLength" in schema else words


def example_call(operation: Operation) -> str:
    """A curl command that uses a door, with real values where there are any."""
    described = operation.described
    parts = [f"curl {_url_of(operation)}"]
    if operation.method != "GET":
        parts[0] = f"curl -X {operation.method} {_url_of(operation)}"
    if described.get("security", [{}])[0]:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    body = described.get("requestBody", {}).get("content", {})
    if JSON in body:
        parts += ["-H 'Content-Type: application/json'", f"-d {_json_of(body[JSON])}"]
    else:
        if any(JSON in answer.get("content", {}) for answer in described["responses"].values()):
            parts.append("-H 'Accept: application/json'")
        for form in list(body.values())[:1]:
            fields = form["example"].items()
            parts += [f"--data-urlencode {shlex.quote(f'{k}={v}')}" for k, v in fields]
    return " \\\n     ".join(parts)


def _json_of(media: Json) -> str:
    return shlex.quote(json.dumps(media["example"], ensure_ascii=False))


def _url_of(operation: Operation) -> str:
    url = f"{document()['servers'][0]['url']}{operation.path}"
    for parameter in map(_resolve, operation.described["parameters"]):
        if parameter["in"] == "path":
            example = quote(parameter["schema"]["examples"][0])
            url = url.replace(f"{{{parameter['name']}}}", example)
    return shlex.quote(url)


@bp.app_template_filter()
def as_json(value: object) -> str:
    """JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@bp.app_template_filter()
def marked(text: object) -> Markup:
    """A text in which backticks mark what is to be taken literally."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped
