"""The bodies that people send about their own data, and the JSON they get."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr
from pydantic.config import JsonDict

from newsletter.web.schemas.email import Email
from newsletter.web.schemas.public import YesOrNo, is_filled

Action = Literal["download", "unsubscribe", "rectify", "erase", "lift"]
_NEEDS_NEW_EMAIL: JsonDict = {
    "if": {"properties": {"action": {"const": "rectify"}}, "required": ["action"]},
    "then": {"required": ["new_email"], "properties": {"new_email": {"type": "string"}}},
}


class MyDataRequest(BaseModel):
    """Whose data is asked for. Fields not named here are neither read nor kept."""

    email: Email = Field(description="The address; only its owner gets the link.")
    locale: StrictStr | None = Field(
        None,
        description="The language of the answer, `de` or `en`; the letter is in the person's own.",
        examples=["en"],
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


class MyDataAct(BaseModel):
    """What to do with one's own data."""

    model_config = ConfigDict(json_schema_extra=_NEEDS_NEW_EMAIL)

    action: Action = Field(
        description="`download`: as JSON (Art. 20). `unsubscribe`: no newsletter any more. `rectify`: "
        "to `new_email`, once that confirms; the answer does not tell whether it can be asked. `erase`: "
        "everything, here and at Mailchimp. `lift`: take back “this was not me”.",
        examples=["unsubscribe"],
    )
    new_email: Email | None = Field(
        None, description="Of `rectify`: the right address; its owner is asked."
    )
    keep_block: YesOrNo = Field(
        False,
        description="Of `erase`: `1` keeps a keyed checksum, so that nobody signs the address up again.",
    )


class AskForMyData(BaseModel):
    """What a POST to the same address does: a link to what is held goes to the address, if it is known."""

    action: Literal["send a link"] = "send a link"


class Done(BaseModel):
    """It was done; of an erasure, the rest follows at Mailchimp."""

    status: Literal["done"] = "done"
    action: Action = Field(examples=["unsubscribe"])
    reference: str | None = Field(
        None,
        description="Of `erase`: what is left to speak of it by.",
        examples=["6f1d0c9e5b7a4838a2c4e1f09d3b7a65"],
    )
