"""A parsed request, and its first checks: key, content type, JSON."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.mailchimp import problems
from sandbox.mailchimp.answers import Refused
from sandbox.mailchimp.audience import Caller

BASE_PATH = "/3.0"


@dataclass(frozen=True)
class Request:
    """One call to the API; the path is without /3.0."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    raw: bytes
    ip: str

    @classmethod
    def of(cls, method: str, target: str, headers: Message, raw: bytes, ip: str) -> Request:
        """Parse a request line's target."""
        parts = urlsplit(target)
        path = unquote(parts.path)
        # A path outside the API keeps its double slash, so that no route matches it.
        path = path.removeprefix(BASE_PATH) if path.startswith(f"{BASE_PATH}/") else f"/{path}"
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method, path, query, headers, raw, ip)

    @property
    def caller(self) -> Caller:
        return Caller(self.ip, self.says_yes("skip_merge_validation"))

    def says_yes(self, name: str) -> bool:
        """Whether a query parameter is true."""
        return self.query.get(name, "").lower() in ("true", "1")

    def key(self) -> str:
        """The API key sent as Basic password; raise Refused."""
        scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
        if not credentials:
            raise Refused(problems.key_missing())
        try:
            _, colon, key = b64decode(credentials, validate=True).decode().partition(":")
        except (Error, UnicodeDecodeError):
            raise Refused(problems.key_invalid()) from None
        if scheme.lower() != "basic" or not colon:
            raise Refused(problems.key_invalid())
        return key

    def json(self) -> Any:
        """The body (None if there is none); raise Refused unless it is JSON and declared so."""
        if not self.raw:
            return None
        if (
            self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            != "application/json"
        ):
            raise Refused(problems.bad_request())
        try:
            return json.loads(self.raw)
        except ValueError:
            raise Refused(problems.unparsable()) from None

    def body_if_any(self) -> dict[str, Any] | None:
        """The body if it is an object, whatever its content type."""
        try:
            body = json.loads(self.raw)
        except ValueError:
            return None
        return body if isinstance(body, dict) else None
