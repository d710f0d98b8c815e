"""The JSON that tells of an erasure: how far it is, what it did, and its receipt."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_ID = "0c4f7d2a91e84b6f8a35d1e6c7b20f94"
_REFERENCE = "6f1d0c9e5b7a4838a2c4e1f09d3b7a65"
_MOMENT = "2026-03-01T12:00:00Z"

_REPORT = {
    "deleted": [
        {
            "place": "database",
            "at": _MOMENT,
            "what": [{"code": "address", "text": "the address, encrypted, and its keyed digest"}],
        }
    ],
    "kept": [
        {
            "code": "ledger",
            "text": "what happened and when, under the reference number alone",
            "why": "it shows that the law was kept",
            "articles": ["Art. 5(2) GDPR", "Art. 17(3)(e) GDPR"],
            "period": "for good: it holds nothing personal",
            "until": None,
        }
    ],
    "rights": "Whoever asked for the erasure may complain to a supervisory authority (Art. 77 GDPR).",
    "authority": None,
}

Where = Literal["database", "mailchimp", "database file"]


class Place(BaseModel):
    """A place where data is erased, and how far that is."""

    place: Where
    state: Literal["done", "waiting", "failed"]
    reason: str | None = None


class DeletedThing(BaseModel):
    """One thing that was deleted: a code that stays, and what it means."""

    code: str = Field(examples=["address"])
    text: str = Field(examples=["the address, encrypted, and its keyed digest"])


class DeletedThere(BaseModel):
    """What is deleted at one place, and since when; null: not yet."""

    place: Where
    at: datetime | None = Field(examples=[_MOMENT])
    what: list[DeletedThing]


class KeptThing(BaseModel):
    """Something that stays: what, why, by which articles, and how long."""

    code: str = Field(examples=["ledger"])
    text: str = Field(examples=["what happened and when, under the reference number alone"])
    why: str
    articles: list[str] = Field(examples=[["Art. 5(2) GDPR", "Art. 17(3)(e) GDPR"]])
    period: str = Field(examples=["for good: it holds nothing personal"])
    until: date | None = Field(description="Its last day, where that is known.", examples=[None])


class ErasureReport(BaseModel):
    """What was deleted where, what is kept, why and until when (Art. 12, 17 and 19 GDPR)."""

    deleted: list[DeletedThere]
    kept: list[KeptThing]
    rights: str = Field(description="What whoever asked for it may do about it.")
    authority: str | None = Field(description="The supervisory authority, if set.", examples=[None])


class Signature(BaseModel):
    """Over the canonical form (RFC 8785) of all the rest of a document."""

    algorithm: Literal["Ed25519"]
    public_key: str = Field(description="32 octets, in Base64.")
    value: str = Field(description="64 octets, in Base64.")


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
    """A receipt without personal data, signed; the same octet for octet whenever it is asked for."""

    document_schema: Literal["doi-erasure/1"] = Field(alias="schema")
    id: str = Field(examples=[_ID])
    reference: str = Field(description="The person's, as letters print it.", examples=[_REFERENCE])
    related_references: list[str] = Field(
        description="Of the rows of a corrected address that were erased with it.", examples=[[]]
    )
    requested_at: datetime = Field(examples=[_MOMENT])
    completed_at: datetime = Field(examples=[_MOMENT])
    deleted: list[DeletedCodes]
    kept: list[str] = Field(examples=[["ledger", "record"]])
    statement: Statement
    signature: Signature


class Erasure(BaseModel):
    """An erasure, on its way or completed, together with those of a corrected address begun with it."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(examples=[_ID])
    status: Literal["pending", "completed"] = Field(examples=["pending"])
    reference: str = Field(description="The person's, as letters print it.", examples=[_REFERENCE])
    requested_at: datetime = Field(examples=[_MOMENT])
    completed_at: datetime | None = Field(description="Once every place is done.", examples=[None])
    keep_block: bool = Field(examples=[False])
    related: list[str] = Field(
        description="The ids of those begun with it; a place is done when it is for all of them.",
        examples=[[]],
    )
    places: list[Place] = Field(
        examples=[
            [
                {"place": "database", "state": "done", "reason": None},
                {"place": "mailchimp", "state": "waiting", "reason": None},
            ]
        ]
    )
    report: ErasureReport = Field(examples=[_REPORT])
    receipt: ErasureReceipt | None = Field(description="Once completed.", examples=[None])
