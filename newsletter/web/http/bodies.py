"""Request bodies: forms and JSON, parsed strictly into pydantic models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from newsletter.domain.errors import NewsletterError

LONGEST = 16 * 1024  #: octets
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True)
class Problem:
    """One invalid field, and pydantic's code for the reason."""

    field: str
    reason: str


class InvalidRequest(NewsletterError):
    """The request does not have the fields of this endpoint."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__()


def octets(longest: int = LONGEST) -> bytes:
    """The whole body; raise RequestEntityTooLarge if it is longer."""
    # werkzeug silently truncates a body without a length at the limit: one extra octet detects this.
    request.max_content_length = longest + 1
    body = request.get_data()
    if len(body) > longest:
        raise RequestEntityTooLarge
    return body


def fields() -> Mapping[str, object]:
    """The fields of a form or a JSON object; raise UnsupportedMediaType, BadRequest or InvalidRequest."""
    if request.is_json:
        return json_fields()
    body = octets()
    if request.mimetype in FORMS:
        return request.form.to_dict()
    if request.mimetype or body:
        raise UnsupportedMediaType
    return {}


def json_fields() -> Mapping[str, object]:
    """The members of a JSON object, none for an empty body; raises as `fields` does."""
    if not request.is_json:
        raise UnsupportedMediaType
    body = octets()
    if not body:
        return {}
    try:
        given = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # invalid, not UTF-8, or nested too deeply
        raise BadRequest from error
    if not isinstance(given, dict):
        raise InvalidRequest([Problem("", "object_type")])
    return given


def parse(model: type[Body], given: Mapping[str, object]) -> Body:
    """Validate fields; raise InvalidRequest, which never contains the input."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise InvalidRequest([_problem(each["loc"], each["type"]) for each in found]) from None


def _problem(location: tuple[int | str, ...], reason: str) -> Problem:
    # The name of an unknown field is the caller's text and may contain anything.
    field = "" if reason == "extra_forbidden" else ".".join(map(str, location))
    return Problem(field, reason)
