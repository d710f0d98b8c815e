"""What callers send: forms and JSON, parsed strictly into pydantic models; nothing else is read."""

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
    """One thing that is wrong with what was sent: the field, and pydantic's code for why."""

    field: str
    reason: str


class InvalidRequest(NewsletterError):
    """What was sent does not have the fields this endpoint asks for."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__()


def octets(longest: int = LONGEST) -> bytes:
    """The whole body; raise RequestEntityTooLarge where it is longer."""
    # werkzeug silently cuts a body without a length off at its limit: one octet more shows it.
    request.max_content_length = longest + 1
    body = request.get_data()
    if len(body) > longest:
        raise RequestEntityTooLarge
    return body


def fields() -> Mapping[str, object]:
    """The fields of a form or a JSON object; raise what the table of errors has for any other."""
    if request.is_json:
        return json_fields()
    body = octets()
    if request.mimetype in FORMS:
        return request.form.to_dict()
    if request.mimetype or body:
        raise UnsupportedMediaType
    return {}


def json_fields() -> Mapping[str, object]:
    """The members of a JSON object; an empty body has none. Raise as `fields` does."""
    if not request.is_json:
        raise UnsupportedMediaType
    body = octets()
    if not body:
        return {}
    try:
        given = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # broken, no UTF-8, or nested beyond reason
        raise BadRequest from error
    if not isinstance(given, dict):
        raise InvalidRequest([Problem("", "object_type")])
    return given


def parse(model: type[Body], given: Mapping[str, object]) -> Body:
    """Check fields against a model; raise InvalidRequest, which never holds what was sent."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise InvalidRequest([_problem(each["loc"], each["type"]) for each in found]) from None


def _problem(location: tuple[int | str, ...], reason: str) -> Problem:
    # The name of a field we do not know is the caller's text, and might be anything.
    field = "" if reason == "extra_forbidden" else ".".join(map(str, location))
    return Problem(field, reason)
