"""The texts of the API description that endpoints share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INTRODUCTION = """\
Sign-ups for a newsletter with double opt-in: a sign-up sends one e-mail, and only the button behind its link confirms \
the sign-up.

People get pages in their language. Programs get JSON: with a JSON body, or with an `Accept` header that prefers \
`application/json`. Errors are `application/problem+json` (RFC 9457); the `type` is the URL of its explanation. \
Browsers get an error as a page where the endpoint has pages. No answer repeats an address, a token or a trace, and \
every endpoint may answer 500.

A method that a path does not have is answered by 405 with `Allow`, an unknown path by 404. `HEAD` is answered \
wherever `GET` is; `HEAD` and `OPTIONS` change nothing.

The pages of the desk, under `/desk`, are for staff in a browser and not described here: programs use the endpoints of \
staff.

Answers may gain fields: ignore those you do not know."""

PUBLIC, PERSON, MAILCHIMP, STAFF, OPERATIONS = (
    "Public",
    "Links in e-mails",
    "Mailchimp",
    "Staff",
    "Operations",
)
#: In the order of the document.
TAGS: Mapping[str, str] = {
    PUBLIC: "For web sites and their visitors. A sign-up, and a request for one's own data, is answered the same way "
    "for every address.",
    PERSON: "Opening a link changes nothing, since mail scanners open links; only the button does. A link is signed "
    "and names no address.",
    MAILCHIMP: "Mailchimp reports here what people did there. The URL contains a secret.",
    STAFF: "The token goes into the `Authorization` header and a person's address into the body, nothing into the URL. "
    "Without any token set, all of these answer 404.",
    OPERATIONS: "For operators and monitoring.",
}
#: Every other blueprint is public.
TAG_OF_BLUEPRINT: Mapping[str, str] = {
    **dict.fromkeys(("confirmation", "not_me", "unsubscribe", "my_data", "receipts"), PERSON),
    **dict.fromkeys(("admin", "proofs"), STAFF),
    **dict.fromkeys(("brand", "health", "metrics", "openapi", "docs", "static"), OPERATIONS),
    "webhooks": MAILCHIMP,
}

_ID = "6f1d0c9e5b7a4838a2c4e1f09d3b7a65"
#: By name: where it is sent, what it means, an example.
PARAMETERS: Mapping[str, tuple[str, str, str]] = {
    "Accept-Language": ("header", "The language of the answer: German or English.", "en, de;q=0.5"),
    "locale": ("query", "`de` or `en`; takes precedence over `Accept-Language`.", "en"),
    "next": (
        "query",
        "Where the form leads to afterwards: a page on an allowed site. Any other is ignored.",
        "",
    ),
    "token": (
        "path",
        "The last part of a link in an e-mail.",
        "apaXUG8dDJ5bekg4osTh8J07emXJZxqHRtbQ0kdfH2wB",
    ),
    "secret": ("path", "MAILCHIMP_WEBHOOK_SECRET.", "the-secret-of-the-hook"),
    "erasure_id": (
        "path",
        "The `id` of an erasure, or the reference number of the person who was erased.",
        _ID,
    ),
    "reference": ("path", "The reference number in the e-mails.", _ID),
    "filename": ("path", "The name of the file.", "newsletter.css"),
}

_STRING = {"type": "string"}
HEADERS: Mapping[str, dict[str, Any]] = {
    "Location": {"description": "The next page.", "required": True, "schema": _STRING},
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {"description": "RFC 6750.", "required": True, "schema": _STRING},
}
#: Sent with a status by every endpoint that has it.
HEADERS_OF_STATUS: Mapping[int, tuple[str, ...]] = {
    302: ("Location",),
    303: ("Location",),
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
}
