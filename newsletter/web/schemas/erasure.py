"""The JSON of an erasure: its state, report and receipt."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from newsletter.web.schemas.proof import Signature
from newsletter.web.schemas.public import REFERENCE

Where = Literal["database", "mailchimp", "database file"]


class Place(BaseModel):
    """A place where data is deleted, and its state."""

    place: Where
    state: Literal["done", "waiting", "failed"]
    reason: str | None = None


class DeletedThing(BaseModel):
    """A class of deleted data: a stable code and its meaning."""

    code: str
    text: str


class DeletedThere(BaseModel):
    """The data that existed at one place and is deleted, and when; null: not yet."""

    place: Where
    at: datetime | None
    was_known: bool | None = Field(
        description="Whether anybody was known there; null until Mailchimp was asked."
    )
    what: list[DeletedThing]
    note: str | None = Field(description="In words, where nobody was known.")


class KeptThing(DeletedThing):
    """A class of data that is kept: why, by which articles, and how long."""

    why: str
    articles: list[str] = Field(examples=[["Art. 17(3)(e) GDPR"]])
    period: str
    until: date | None = Field(description="Its last day, if known.")


class ErasureReport(BaseModel):
    """The data deleted and kept, why and until when (Art. 12, 17 and 19 GDPR)."""

    deleted: list[DeletedThere]
    kept: list[KeptThing]
    rights: str
    authority: str | None


class DeletedCodes(BaseModel):
    """The codes of the data deleted at one place, and when."""

    place: Where
    at: datetime
    was_known: bool
    what: list[str]


class Statement(BaseModel):
    """The statement of the receipt."""

    de: str
    en: str


class ErasureReceipt(BaseModel):
    """A signed receipt with neither name nor address; always the same octets."""

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
    """An erasure, and those of the same person's other addresses."""

    model_config = ConfigDict(extra="allow")

    id: str
    status: Literal["pending", "completed"]
    reference: str = Field(examples=[REFERENCE])
    requested_at: datetime
    completed_at: datetime | None
    keep_block: bool
    related: list[str] = Field(
        description="The erasures of the same person's other addresses; a place is done when it is done for all."
    )
    places: list[Place]
    report: ErasureReport
    receipt: ErasureReceipt | None = Field(description="Once completed.")
