"""The requests of sites and people, and their JSON answers when nothing went wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import (
    BaseModel,
    BeforeValidator,
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

REFERENCE = "6f1d0c9e5b7a4838a2c4e1f09d3b7a65"  #: an example, as the two below
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
LINK = "https://newsletter.example.com/unsubscribe/apaXUG8dDJ5bekg4osTh8J07emXJZxqHRtbQ0kdfH2wB"

_YES = (True, 1, "1", "true", "on")
_NO = (False, 0, "0", "false", "")


def _yes_or_no(value: object) -> object:
    """A form's checkbox or a script's value as a boolean; any other value is refused later."""
    return value in _YES if value in (*_YES, *_NO) else None


YesOrNo = Annotated[
    bool,
    BeforeValidator(_yes_or_no),
    WithJsonSchema({"enum": [*_YES, *_NO], "default": False, "examples": ["1"]}),
]


class FromForm(BaseModel):
    """A form with an address. Fields that are not named here are neither read nor kept."""

    email: Email = Field(
        description="Surrounding blanks are dropped, upper case is kept. A domain in another script is also accepted; "
        "its ASCII form (`xn--…`) fits the pattern."
    )
    locale: StrictStr | None = Field(
        None,
        description="The language of the answer: `de` or `en`. Any other value falls back to the default.",
        examples=["en"],
    )
    homepage: Any = Field(
        None,
        description="Leave it empty: people do not see this field. If it is filled in, the answer is the same and "
        "nothing happens.",
    )

    @property
    def is_from_machine(self) -> bool:
        """Whether the field that people do not see was filled in."""
        return bool(str(self.homepage or "").strip())


class _Shown:
    """Lists the current consent texts in the schema; earlier ones are accepted, too."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        settings = config.current()
        hashes = [wording.render(locale, settings).hash for locale in settings.locales]
        known: JsonSchemaValue = {"type": "string", "enum": [*hashes, ""]}
        return {"anyOf": [known, {"type": "null"}], "examples": hashes[-1:]}


class SignUp(FromForm):
    """A sign-up. Fields that are not named here are neither read nor kept."""

    wording: Annotated[StrictStr | None, _Shown()] = Field(
        None,
        description="The hash of the consent text that was shown, from `GET /`. An earlier one is accepted until it is "
        "withdrawn; without one, the current text counts as shown.",
    )
    form: StrictStr | None = Field(
        None,
        description="The version of the hosted form, which sends it: then the e-mail names our host as the place of "
        "the sign-up. Any other value is ignored.",
    )
    next: StrictStr | None = Field(
        None,
        description="Where a form leads to afterwards: a page on an allowed site. Any other is ignored.",
    )


class NotMe(BaseModel):
    """Whether to block the address, too."""

    block: YesOrNo = Field(False, description="`1`: block the address permanently.")


class OneClick(BaseModel):
    """The body from a mail program (RFC 8058): optional and not read."""

    list_unsubscribe: str = Field("", alias="List-Unsubscribe", examples=["One-Click"])


class MailchimpCall(BaseModel):
    """The fields read from Mailchimp's call; `fired_at` is UTC."""

    type: str = Field("", examples=["unsubscribe"])
    fired_at: str = Field("", examples=["2026-03-01 12:00:00"])
    list_id: str = Field("", alias="data[list_id]", examples=["a1b2c3d4e5"])
    email: str = Field("", alias="data[email]", examples=["ada@example.com"])
    action: str = Field("", alias="data[action]", examples=["unsub"])
    reason: str = Field("", alias="data[reason]", examples=["manual"])
    old_email: str = Field("", alias="data[old_email]")
    new_email: str = Field("", alias="data[new_email]")


class Accepted(BaseModel):
    """Accepted; for a sign-up, this reveals nothing about the address."""

    status: Literal["accepted"] = "accepted"


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether sign-ups can be taken; the reasons need an admin token."""

    status: Literal["ready", "degraded", "unable"]
    reasons: list[str] | None = Field(None, examples=[["no live worker"]])


class Form(BaseModel):
    """The consent text of a form, and its hash."""

    consent: str = Field(description="The text to show beside the button, word for word.")
    wording: str = Field(description="Its hash, to be sent with the sign-up.", examples=[HASH])
    language: Locale


class OpenRequest(BaseModel):
    """The consent behind a confirmation link, and whether it is confirmed."""

    status: Literal["open", "confirmed"]
    consent: str
    language: Locale
    expires_at: datetime | None = None
    not_me: str = Field(description="The link for people who did not sign up.", examples=[LINK])


class Confirmed(BaseModel):
    """The consent that was given."""

    status: Literal["confirmed"] = "confirmed"
    reference: str = Field(examples=[REFERENCE])
    unsubscribe: str = Field(description="The unsubscribe link.", examples=[LINK])
    receipt: str | None = Field(
        None, description="The signed receipt; only within an hour of the confirmation."
    )


class Offer(BaseModel):
    """The action of a POST to the same URL."""

    action: Literal["disown", "unsubscribe", "send a link"]
    is_done: Literal[True] | None = Field(
        None, description="It was done before; a POST changes nothing more."
    )


class Disowned(BaseModel):
    """The sign-up is deleted; if it was confirmed, the address is blocked and the proof kept."""

    status: Literal["disowned", "blocked"] = "disowned"


class Blocked(BaseModel):
    """The address is blocked for every mailing."""

    status: Literal["blocked"] = "blocked"


def say(model: BaseModel, status: int = 200) -> Response:
    """Answer with a model as JSON; fields that are None are omitted."""
    body = model.model_dump_json(exclude_none=True)
    return Response(f"{body}\n", status, mimetype="application/json")
