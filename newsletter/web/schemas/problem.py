"""The JSON of a problem."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class InvalidField(BaseModel):
    """A field and why it is invalid."""

    field: str = Field(description="Empty for an unknown field or the whole body.")
    reason: str = Field(examples=["missing"])


class Problem(BaseModel):
    """A problem (RFC 9457), without address, token or trace."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(
        description="The URL leads to an explanation.", json_schema_extra={"format": "uri"}
    )
    title: str
    status: int
    detail: str = Field(description="What to do, in the caller's language.")
    errors: list[InvalidField] | None = Field(None, description="Only for `invalid-request`.")
