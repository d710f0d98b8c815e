"""What the description says of all doors alike: whom they are for, what their URLs and headers hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.routing import Rule

from newsletter.web.http import negotiation
from newsletter.web.http.error_texts import TEXTS

INTRODUCTION = """\
Sign-ups for a newsletter with double opt-in: whoever asks for it gets one letter, and only the button behind its \
link confirms. What follows is every door of this service.

People get pages in their language, programs get JSON: by a JSON body, or by an `Accept` that names \
`application/json` and prefers it. What goes wrong is told to programs as `application/problem+json` (RFC 9457); the \
`type` of such a problem is the address of a page that explains it. A browser gets such a problem as a page, where a \
door has pages. No answer repeats an address, a token or a trace, and any may be 500 where the service itself fails.

A method that a path does not know is answered by 405 with `Allow`, an unknown path by 404. `HEAD` is answered where \
`GET` is; it and `OPTIONS` change nothing.

What is described here changes only on purpose. Fields may be added to answers: ignore those you do not know."""

PUBLIC, PERSON, MAILCHIMP, STAFF, OPERATIONS = (
    "Public",
    "A person's links",
    "Mailchimp",
    "Staff",
    "Operations",
)
#: Whom doors are for, and what those have in common, in the order of the document.
AUDIENCES: Mapping[str, str] = {
    PUBLIC: "For sites and their visitors. The answer to a sign-up, or to whoever asks what is held, "
    "is the same for every address.",
    PERSON: "The links in a letter. Opening one changes nothing: mail scanners open links, people "
    "press buttons. A link is signed, names no address, and is all that is needed.",
    MAILCHIMP: "Where Mailchimp tells what people did there; a secret is part of the address.",
    STAFF: "For whoever answers for data protection. A token goes into the `Authorization` header, "
    "the address of a person into the body, nothing into the URL. Without any token in the "
    "settings, all of these are 404.",
    OPERATIONS: "For whoever runs the service, and for programs that read this description.",
}
_OF_BLUEPRINT: Mapping[str, str] = {
    "signup": PUBLIC,
    "embed": PUBLIC,
    "docs": PUBLIC,
    "problems": PUBLIC,
    "confirmation": PERSON,
    "not_me": PERSON,
    "unsubscribe": PERSON,
    "my_data_request": PUBLIC,
    "my_data": PERSON,
    "receipts": PERSON,
    "webhooks": MAILCHIMP,
    "admin": STAFF,
    "proofs": STAFF,
    "brand": OPERATIONS,
    "health": OPERATIONS,
    "openapi": OPERATIONS,
    "static": OPERATIONS,
}

#: Parameters of many doors, by their place in `components`.
PARAMETERS: Mapping[str, dict[str, Any]] = {
    "Language": {
        "name": "Accept-Language",
        "in": "header",
        "description": "The languages that the caller reads; German or English is answered.",
        "schema": {"type": "string"},
        "example": "en, de;q=0.5",
    },
    "Locale": {
        "name": "locale",
        "in": "query",
        "description": "The language of the answer, `de` or `en`, before any other wish. "
        "One that is not offered falls back.",
        "schema": {"type": "string"},
        "example": "en",
    },
    "Next": {
        "name": "next",
        "in": "query",
        "description": "Where the form is to lead to afterwards: a page on one of the allowed "
        "sites. Any other is ignored.",
        "schema": {"type": "string"},
    },
}

_IN_PATH: Mapping[str, tuple[str, dict[str, Any]]] = {
    "token": (
        "The end of a link from a letter.",
        {
            "type": "string",
            "pattern": r"^\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){1,2}$",
            "examples": ["WyI2ZjFkMGM5ZSIsMSwiYyJd.aaQ4oA.5Yj3h0dK8nVbq1rXw7sZ2tLuEoPcMfGa"],
        },
    ),
    "erasure_id": (
        "The `id` of an erasure.",
        {
            "type": "string",
            "pattern": "^[0-9a-f]{32}$",
            "examples": ["0c4f7d2a91e84b6f8a35d1e6c7b20f94"],
        },
    ),
    "reference": (
        "The reference number, as letters print it.",
        {
            "type": "string",
            "pattern": "^[0-9a-f]{32}$",
            "examples": ["6f1d0c9e5b7a4838a2c4e1f09d3b7a65"],
        },
    ),
    "secret": (
        "MAILCHIMP_WEBHOOK_SECRET, by which Mailchimp is known.",
        {"type": "string", "examples": ["the-secret-of-the-hook"]},
    ),
    "slug": (
        "The end of a problem's type.",
        {"type": "string", "enum": list(TEXTS), "examples": ["invalid-address"]},
    ),
    "filename": (
        "The name of the file.",
        {"type": "string", "examples": ["newsletter.css"]},
    ),
}

HEADERS: Mapping[str, dict[str, Any]] = {
    "Location": {
        "description": "Where to go on.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {
        "description": "After how many seconds it is worth trying again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "What is missing: a bearer token (RFC 6750).",
        "required": True,
        "schema": {"type": "string"},
    },
}
#: What comes with a status, whatever the door.
HEADERS_OF_STATUS: Mapping[int, tuple[str, ...]] = {
    303: ("Location",),
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
}


def audience_of(rule: Rule) -> str:
    """Whom a door is for."""
    return _OF_BLUEPRINT[_blueprint(rule)]


def is_for_programs(rule: Rule) -> bool:
    """Tell whether a door never answers with a page for people."""
    return _blueprint(rule) in negotiation.FOR_PROGRAMS


def parameters_of(rule: Rule) -> list[dict[str, Any]]:
    """What a path names, and the languages of whoever calls."""
    in_path = [
        {"name": name, "in": "path", "required": True, "description": words, "schema": schema}
        for name in sorted(rule.arguments)
        for words, schema in [_IN_PATH[name]]
    ]
    if _blueprint(rule) == "static":
        return in_path
    return in_path + ([] if is_for_programs(rule) else [ref("Locale")]) + [ref("Language")]


def ref(name: str, kind: str = "parameters") -> dict[str, str]:
    """Point to something in `components`."""
    return {"$ref": f"#/components/{kind}/{name}"}


def _blueprint(rule: Rule) -> str:
    return str(rule.endpoint).partition(".")[0]
