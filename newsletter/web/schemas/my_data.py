"""The requests about one's own data, and their JSON answers."""

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
    """The address whose data is requested; only its owner gets the link."""


class MyDataAct(BaseModel):
    """An action on one's own data."""

    model_config = ConfigDict(json_schema_extra=_NEEDS_NEW_EMAIL)

    action: Action = Field(
        description="`download`: as JSON (Art. 20). `unsubscribe`: no more newsletters. `rectify`: change to "
        "`new_email` once that is confirmed. `erase`: delete everything, here and at Mailchimp. `lift`: unblock after "
        "“this was not me”.",
        examples=["unsubscribe"],
    )
    new_email: Email | None = Field(None, description="For `rectify`; its owner has to confirm.")
    keep_block: YesOrNo = Field(
        False,
        description="For `erase`: `1` keeps a keyed digest of the address, which stays blocked.",
    )


class Done(BaseModel):
    """The action was done; an erasure continues at Mailchimp."""

    status: Literal["done"] = "done"
    action: Action
    reference: str | None = Field(None, description="Of `erase`.", examples=[REFERENCE])
