"""Checks whether an answer agrees with the API description of its endpoint."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request
from openapi_schema_validator import OAS31Validator
from werkzeug.http import parse_options_header

from newsletter.web.openapi.document import document, path_of


def departure_from(app: Flask, response: Response, document: dict[str, Any]) -> str | None:
    """How the answer to the present request departs from the description; None if it does not."""
    rule = request.url_rule
    if rule is None or request.method == "OPTIONS":
        return None  # no endpoint: 404, 405, or what Flask answers by itself
    if not hasattr(app.view_functions[rule.endpoint], "endpoint"):
        return None  # a view that a test has put in an endpoint's place
    method = "GET" if request.method == "HEAD" else request.method
    answered = f"{method} {path_of(rule)} {response.status_code}"
    answers = document["paths"][path_of(rule)][method.lower()]["responses"]
    if (answer := answers.get(str(response.status_code))) is None:
        return f"{answered} is not described"
    if missing := [name for name in answer.get("headers", ()) if name not in response.headers]:
        return f"{answered} lacks {missing}"
    return _departure_of_body(document, answer, response, answered)


def _departure_of_body(
    document: dict[str, Any], answer: dict[str, Any], response: Response, answered: str
) -> str | None:
    content = answer.get("content")
    if content is None:
        # A file passes by unread, and is left out of a 304 only as it is sent.
        has_body = not response.direct_passthrough and response.get_data()
        return f"{answered} has a body" if has_body else None
    kind, _ = parse_options_header(response.content_type)
    if "*/*" in content:
        return None
    if kind not in content:
        return f"{answered} is not described as {kind}"
    if not kind.endswith("json") or request.method == "HEAD":
        return None
    schema = {**content[kind].get("schema", {}), "components": document["components"]}
    errors = OAS31Validator(schema).iter_errors(response.get_json())
    return next((f"{answered}: {error.json_path}: {error.validator}" for error in errors), None)


def description_of(app: Flask) -> dict[str, Any]:
    """What the application says of its endpoints."""
    with app.test_request_context():
        return document()
