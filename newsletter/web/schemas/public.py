"""The bodies that callers send, and the JSON they get; /openapi.json is made from these.

What only staff send and get stands in `staff_schemas`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response, jsonify
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StrictStr,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from newsletter import config
from newsletter.config import Locale
from newsletter.subscriptions import wording
from newsletter.web.schemas.email import Email

_CONSENT = "I would like to receive the newsletter …"  #: only an example


class _Shown:
    """The consent texts that may be shown now; earlier ones are taken, too, but not listed."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        settings = config.current()
        hashes = [wording.render(locale, settings).hash for locale in settings.locales]
        known: JsonSchemaValue = {"type": "string", "enum": [*hashes, ""]}
        return {"anyOf": [known, {"type": "null"}], "examples": hashes[-1:]}


class SignUp(BaseModel):
    """A sign-up. Fields not named here are neither read nor kept."""

    email: Email = Field(
        description="Who asks for the newsletter. Blanks around it are dropped, upper case is kept. "
        "A domain in another script is taken as well; its ASCII form (`xn--…`) fits the pattern."
    )
    locale: StrictStr | None = Field(
        None,
        description="The language of the answer and of the letter: `de` or `en`. "
        "One that is not offered falls back.",
        examples=["en"],
    )
    wording: Annotated[StrictStr | None, _Shown()] = Field(
        None,
        description="The hash of the consent text that was shown, as `GET /` tells it. An earlier "
        "one is taken until it is withdrawn; without one, the present text counts as shown.",
    )
    next: StrictStr | None = Field(
        None,
        description="Where a form leads to afterwards: a page on one of the allowed sites. "
        "Any other is ignored.",
    )
    homepage: Any = Field(
        None,
        description="Leave it empty: people do not see this field. Whatever fills it in is a "
        "machine, gets the same answer as anybody, and nothing happens.",
    )

    @property
    def is_from_machine(self) -> bool:
        """Tell whether the field was filled in that people do not see."""
        return is_filled(self.homepage)


def is_filled(homepage: object) -> bool:
    """Tell whether somebody wrote into the field that people do not see."""
    return bool(str(homepage or "").strip())


_YES = (True, 1, "1", "true", "on")
_NO = (False, 0, "0", "false", "")


def _yes_or_no(value: object) -> object:
    """What a form's box, a script or a person means; anything else is left to be refused."""
    return value in _YES if value in (*_YES, *_NO) else None


YesOrNo = Annotated[
    bool,
    BeforeValidator(_yes_or_no),
    WithJsonSchema({"enum": [*_YES, *_NO], "default": False, "examples": ["1"]}),
]


class NotMe(BaseModel):
    """What to do beside forgetting the sign-up."""

    block: YesOrNo = Field(False, description="`1`: never write to this address again.")


class OneClick(BaseModel):
    """What a mail program sends (RFC 8058). It need not be sent, and is not read."""

    list_unsubscribe: str = Field(
        "",
        alias="List-Unsubscribe",
        description="What RFC 8058 has mail programs send.",
        examples=["One-Click"],
    )


class MailchimpCall(BaseModel):
    """What Mailchimp sends, of which these fields are read; other types mean nothing."""

    type: str = Field(
        "",
        description="What happened there: `unsubscribe`, `cleaned`, `subscribe`, `profile` or `upemail`.",
        examples=["unsubscribe"],
    )
    fired_at: str = Field(
        "",
        description="When, in UTC: `YYYY-MM-DD hh:mm:ss`.",
        examples=["2026-03-01 12:00:00"],
    )
    list_id: str = Field(
        "",
        alias="data[list_id]",
        description="The audience. A call about another one than ours means nothing.",
        examples=["a1b2c3d4e5"],
    )
    email: str = Field(
        "",
        alias="data[email]",
        description="Whom it is about; an address unknown here changes nothing.",
        examples=["ada@example.com"],
    )
    action: str = Field(
        "",
        alias="data[action]",
        description="Of `unsubscribe`: `unsub` or `delete`.",
        examples=["unsub"],
    )
    reason: str = Field(
        "",
        alias="data[reason]",
        description="`manual` or `abuse`; of `cleaned`: `hard` or `abuse`.",
        examples=["manual"],
    )
    old_email: str = Field(
        "", alias="data[old_email]", description="Of `upemail`: the address that was changed."
    )
    new_email: str = Field(
        "", alias="data[new_email]", description="Of `upemail`: the address it was changed to."
    )


class Accepted(BaseModel):
    """It was taken; for a sign-up, this says nothing about the address."""

    status: Literal["accepted"] = "accepted"


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether sign-ups can be taken; the reasons are for those with an admin token."""

    status: Literal["ready", "degraded", "unable"] = Field(examples=["degraded"])
    reasons: list[str] | None = Field(None, examples=[["no live worker"]])


class Form(BaseModel):
    """What a form of one's own has to show and to send."""

    consent: str = Field(
        description="The text to show beside the button, word for word.", examples=[_CONSENT]
    )
    wording: str = Field(
        description="Its hash, to be sent with the sign-up.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    language: Locale = Field(examples=["en"])


class OpenRequest(BaseModel):
    """What a confirmation link asks for, and whether that was done."""

    status: Literal["open", "confirmed"] = Field(examples=["open"])
    consent: str = Field(description="What is agreed to by confirming.", examples=[_CONSENT])
    language: Locale = Field(examples=["en"])
    expires_at: datetime | None = Field(
        None, description="How long the link holds.", examples=["2026-03-08T12:00:00Z"]
    )
    not_me: str = Field(
        description="The link for whoever did not sign up.",
        examples=["https://newsletter.example.com/not-me/WyJhIiwxLCJiIl0.aaQ4oA.c2ln"],
    )


class Confirmed(BaseModel):
    """The consent that was given: its reference number, for an hour its receipt, and the link to leave again."""

    status: Literal["confirmed"] = "confirmed"
    reference: str = Field(examples=["6f1d0c9e5b7a4838a2c4e1f09d3b7a65"])
    unsubscribe: str = Field(
        examples=["https://newsletter.example.com/unsubscribe/WyJhIiwxLG51bGxd.c2ln"]
    )
    receipt: str | None = Field(
        None,
        description="Where the signed receipt can be downloaded for an hour; "
        "left out once the confirmation is an hour old.",
        examples=["https://newsletter.example.com/receipts/WyJhIiwxLG51bGxd.aaQ4oA.c2ln"],
    )


class AskToDisown(BaseModel):
    """What a POST to the same address does."""

    action: Literal["disown"] = "disown"


class AskToUnsubscribe(BaseModel):
    """What a POST to the same address does."""

    action: Literal["unsubscribe"] = "unsubscribe"


class Disowned(BaseModel):
    """The sign-up is forgotten; where it had been confirmed, the address is blocked, and the proof kept."""

    status: Literal["disowned", "blocked"] = "disowned"


class Blocked(BaseModel):
    """The address is blocked for every mailing."""

    status: Literal["blocked"] = "blocked"


class InvalidField(BaseModel):
    """A field that was not right, and a code for why."""

    field: str = Field(description="Its name; empty for one we do not know, or for the whole body.")
    reason: str = Field(description="Such as `missing` or `string_type`.")


class Problem(BaseModel):
    """What went wrong (RFC 9457), without an address, a token or a trace."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(
        description="What kind of problem it is; the URL leads to a page that explains it.",
        json_schema_extra={"format": "uri"},
    )
    title: str = Field(description="The kind in a few words, in the caller's language.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="What to do, in the caller's language.")
    errors: list[InvalidField] | None = Field(
        None, description="Of `invalid-request` alone: each field that was not right."
    )


def say(model: BaseModel, status: int = 200) -> Response:
    """Answer with a model as JSON; what is None is left out."""
    response = jsonify(model.model_dump(mode="json", exclude_none=True))
    response.status_code = status
    return response
