"""Request bodies: forms and JSON, parsed strictly into pydantic models."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.formparser import FormDataParser

from newsletter.domain.errors import NewsletterError

LONGEST = 16 * 1024  #: octets
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
#: What a page that is not UTF-8 is read as by browsers in western Europe (WHATWG Encoding, HTML § 13.2.3.2).
_LEGACY = "windows-1252"
#: How such a page's form sends a character that its encoding does not have (HTML § 4.10.21.7).
_REFERENCE = re.compile(r"&#\d{1,7};")

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
        return _form(body)
    if request.mimetype or body:
        raise UnsupportedMediaType
    return {}


def _form(body: bytes) -> Mapping[str, str]:
    """The fields of a form, the first of each name, from a page in UTF-8 or another encoding."""
    is_urlencoded = request.mimetype == FORMS[0]
    charset = _charset_of(unquote_to_bytes(body) if is_urlencoded else body)
    text = body.decode(charset, "replace")
    if is_urlencoded:
        pairs = parse_qsl(text, keep_blank_values=True, encoding=charset, errors="replace")
    else:
        stream, options = BytesIO(text.encode()), dict(request.mimetype_params)
        pairs = list(FormDataParser().parse(stream, request.mimetype, None, options)[1].items())
    return {
        name: _REFERENCE.sub(lambda it: html.unescape(it[0]), value)
        for name, value in reversed(pairs)
    }


def _charset_of(sent: bytes) -> str:
    try:
        sent.decode("utf-8")
    except UnicodeDecodeError:
        return _LEGACY
    return "utf-8"


def json_fields() -> Mapping[str, object]:
    """The members of a JSON object, none for an empty body; raises as `fields` does."""
    if not request.is_json:
        raise UnsupportedMediaType
    body = octets()
    if not body:
        return {}
    try:
        given = json.loads(body.decode("utf-8-sig"))
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
