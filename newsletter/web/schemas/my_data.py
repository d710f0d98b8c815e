"""The bodies that people send about their own data, and the JSON they get."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from newsletter.web.schemas.email import Email
from newsletter.web.schemas.public import REFERENCE, FromForm, YesOrNo

Action = Literal["download", "unsubscribe", "rectify", "erase", "lift"]
_NEEDS_NEW_EMAIL: JsonDict = {
    "if": {"properties": {"action": {"const": "rectify"}}, "required": ["action"]},
    "then": {"required": ["new_email"], "properties": {"new_email": {"type": "string"}}},
}


class MyDataRequest(FromForm):
    """Whose data is asked for; only the address's owner gets the link."""


class MyDataAct(BaseModel):
    """What to do with one's own data."""

    model_config = ConfigDict(json_schema_extra=_NEEDS_NEW_EMAIL)

    action: Action = Field(
        description="`download`: as JSON (Art. 20). `unsubscribe`: no newsletter any more. `rectify`: to `new_email`, "
        "once that confirms. `erase`: everything, here and at Mailchimp. `lift`: take back “this was not me”.",
        examples=["unsubscribe"],
    )
    new_email: Email | None = Field(None, description="For `rectify`; its owner is asked.")
    keep_block: YesOrNo = Field(
        False, description="For `erase`: `1` keeps a keyed checksum, so that nobody signs them up."
    )


class Done(BaseModel):
    """It was done; an erasure goes on at Mailchimp."""

    status: Literal["done"] = "done"
    action: Action
    reference: str | None = Field(None, description="Of `erase`.", examples=[REFERENCE])
