"""Mailchimp's answers, word for word: results, problems (RFC 7807), its gateway's pages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, or how to withhold it; a content type of None sends no such header."""

    status: int = 200
    content_type: str | None = JSON
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    carries_out: bool = (
        False  #: carry the call out; status and body are then those of the real answer
    )
    masks: bool = False  #: carry the call out, but answer this
    drops: bool = False  #: close the connection instead of answering
    until: Event | None = None  #: answer only when this is set (stopping the stand-in sets it)

    @property
    def detail(self) -> str:
        """The detail of a problem."""
        return str(json.loads(self.body)["detail"])


DROPPED = Answer(drops=True)
CARRIED_OUT_BUT_DROPPED = Answer(carries_out=True, drops=True)


class Refused(Exception):
    """A call ends with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def held(until: Event, *, drops: bool = False) -> Answer:
    """Carry the call out, but answer only after the event (never, if dropped)."""
    return Answer(carries_out=True, until=until, drops=drops)


def ok(data: dict[str, Any]) -> Answer:
    """200 with JSON."""
    return Answer(body=json.dumps(data).encode())


def done() -> Answer:
    """204, which Mailchimp sends with a JSON content type and an empty body."""
    return Answer(status=204)


def problem(
    status: int, title: str, detail: str, *, errors: Sequence[dict[str, str]] = (), allow: str = ""
) -> Answer:
    """A problem as Mailchimp sends it: without `type`, its instance repeated as X-Request-Id."""
    instance = str(uuid.uuid4())
    document: dict[str, Any] = {
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
    }
    if errors:
        document["errors"] = list(errors)
    headers = (("X-Request-Id", instance),) + ((("Allow", allow),) if allow else ())
    return Answer(status, PROBLEM, json.dumps(document).encode(), headers)


def throttled(status: int = 429) -> Answer:
    """The answer to very high volumes: 429 or 403 with neither a body nor a content type."""
    return Answer(status, content_type=None)


def bad_gateway() -> Answer:
    """The answer of the CDN to a call that took too long."""
    return Answer(502, "text/html", b"<html><body><h1>502 Bad Gateway</h1></body></html>")
