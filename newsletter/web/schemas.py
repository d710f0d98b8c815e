"""The bodies that callers send, and the JSON they get; /openapi.json is made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, field_validator

from newsletter.config import Locale


class SignUp(BaseModel):
    """A sign-up. Fields not named here are neither read nor kept."""

    email: StrictStr
    locale: StrictStr | None = Field(None, description="de or en; one not offered falls back")
    wording: StrictStr | None = Field(None, description="hash of the consent text that was shown")
    next: StrictStr | None = Field(None, description="a page on an allowed site; forms only")
    homepage: Any = Field(None, description="leave empty: what fills it in is a machine")

    @property
    def is_from_machine(self) -> bool:
        """Tell whether the field was filled in that people do not see."""
        return bool(str(self.homepage or "").strip())


class NotMe(BaseModel):
    """What to do beside forgetting the sign-up."""

    block: bool = Field(False, description="never write to this address again")

    @field_validator("block", mode="before")
    @classmethod
    def _blank_is_no(cls, value: object) -> object:
        return False if value == "" else value


class _Staff(BaseModel):
    # A misspelt keep_block must not pass for an erasure without one.
    model_config = ConfigDict(extra="forbid")

    email: StrictStr


class Whom(_Staff):
    """Whom it is about."""


class ErasureRequest(_Staff):
    """Whom to erase; `keep_block`: keep a keyed checksum, so that nobody signs them up again."""

    keep_block: StrictBool = False


class BlockRequest(_Staff):
    """Whom to block, and why."""

    reason: Literal["unsubscribed", "complaint", "bounce", "staff"]


class RectificationRequest(_Staff):
    """Whose address was wrong, and what it is."""

    new_email: StrictStr


class Accepted(BaseModel):
    """It was taken; for a sign-up, this says nothing about the address."""

    status: Literal["accepted"] = "accepted"


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether sign-ups can be taken; the reasons are for those with an admin token."""

    status: Literal["ready", "degraded", "unable"]
    reasons: list[str] | None = None


class Form(BaseModel):
    """What a form of one's own has to show and to send."""

    consent: str
    wording: str
    language: Locale


class OpenRequest(BaseModel):
    """What a confirmation link asks for."""

    status: Literal["open", "confirmed"]
    consent: str
    language: Locale
    expires_at: datetime | None = None
    not_me: str


class Confirmed(BaseModel):
    """The consent that was given: its reference number, and the link to leave again."""

    status: Literal["confirmed"] = "confirmed"
    reference: str
    unsubscribe: str


class Ask(BaseModel):
    """What a POST to the same address does."""

    action: Literal["disown", "unsubscribe"]


class Disowned(BaseModel):
    """The sign-up is forgotten."""

    status: Literal["disowned"] = "disowned"


class Blocked(BaseModel):
    """The address is blocked for every mailing."""

    status: Literal["blocked"] = "blocked"


class Place(BaseModel):
    """A place where data is erased, and how far that is."""

    place: Literal["database", "mailchimp", "database file"]
    state: Literal["done", "waiting", "failed"]
    reason: str | None = None


class Erasure(BaseModel):
    """An erasure, on its way or completed."""

    model_config = ConfigDict(extra="allow")

    id: str
    status: Literal["pending", "completed"]
    requested_at: datetime
    completed_at: datetime | None
    places: list[Place]


class Access(BaseModel):
    """All that is held about a person (Art. 15 GDPR); an open erasure alone has `erasure_id`."""

    model_config = ConfigDict(extra="allow")

    status: Literal["pending", "confirmed", "blocked", "returning", "erasing"]


class InvalidField(BaseModel):
    """A field that was not right, and a code for why."""

    field: str
    reason: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[InvalidField] | None = None


def say(model: BaseModel, status: int = 200) -> Response:
    """Answer with a model as JSON; what is None is left out."""
    response = jsonify(model.model_dump(mode="json", exclude_none=True))
    response.status_code = status
    return response
