"""The JSON about an erasure: how far it is, what it did, and its receipt."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from newsletter.web.schemas.proof import Signature
from newsletter.web.schemas.public import REFERENCE

Where = Literal["database", "mailchimp", "database file"]


class Place(BaseModel):
    """A place where data is erased, and how far that is."""

    place: Where
    state: Literal["done", "waiting", "failed"]
    reason: str | None = None


class DeletedThing(BaseModel):
    """One thing that was deleted: a code that stays the same, and what it means."""

    code: str
    text: str


class DeletedThere(BaseModel):
    """What is deleted at one place, and since when; null: not yet."""

    place: Where
    at: datetime | None
    what: list[DeletedThing]


class KeptThing(DeletedThing):
    """Something that is kept: what, why, by which articles, and how long."""

    why: str
    articles: list[str] = Field(examples=[["Art. 17(3)(e) GDPR"]])
    period: str
    until: date | None = Field(description="Its last day, if known.")


class ErasureReport(BaseModel):
    """What was deleted where, what is kept, why and until when (Art. 12, 17 and 19 GDPR)."""

    deleted: list[DeletedThere]
    kept: list[KeptThing]
    rights: str
    authority: str | None


class DeletedCodes(BaseModel):
    """What was deleted at one place, by codes, and when."""

    place: Where
    at: datetime
    what: list[str]


class Statement(BaseModel):
    """What the receipt says, in words."""

    de: str
    en: str


class ErasureReceipt(BaseModel):
    """A signed receipt without personal data; the same octets whenever it is requested."""

    document_schema: Literal["doi-erasure/1"] = Field(alias="schema")
    id: str
    reference: str
    related_references: list[str]
    requested_at: datetime
    completed_at: datetime
    deleted: list[DeletedCodes]
    kept: list[str]
    statement: Statement
    signature: Signature


class Erasure(BaseModel):
    """An erasure, together with those of a corrected address that began with it."""

    model_config = ConfigDict(extra="allow")

    id: str
    status: Literal["pending", "completed"]
    reference: str = Field(examples=[REFERENCE])
    requested_at: datetime
    completed_at: datetime | None
    keep_block: bool
    related: list[str] = Field(
        description="Ids of those that began with it; a place is done when it is done for all."
    )
    places: list[Place]
    report: ErasureReport
    receipt: ErasureReceipt | None = Field(description="Once completed.")
