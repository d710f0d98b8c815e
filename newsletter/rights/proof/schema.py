"""The schema of a proof or a receipt: the fields here are compared with the ledger rows, others are only signed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Strict(BaseModel):
    """Strict types: no conversion between numbers and texts."""

    model_config = ConfigDict(strict=True, extra="allow")


class Row(Strict):
    """A ledger row."""

    # The seal covers all fields of a row: an extra one would not be sealed.
    model_config = ConfigDict(extra="forbid")

    id: int
    at: str
    ref: str
    round: int | None
    event: str
    reason: str | None
    detail: str | None
    wording: str | None
    template: str | None
    actor: str | None
    commitment: Hash | None


class Seal(Strict):
    """A row's seal, and the previous one."""

    position: int = Field(ge=1)
    sealed_at: str
    before: Hash
    seal: Hash


class Entry(Strict):
    """A row, with its seal if it is sealed."""

    row: Row
    seal: Seal | None


class ProvenEvent(Strict):
    """A row's event in a round."""

    event: str
    at: str
    row: int
    state: str | None = None
    entity_id: str
    reason: str | None = None
    detail: str | None = None
    wording: str | None = None
    template: str | None = None


class Letter(Strict):
    """An e-mail of a round, sent or undeliverable."""

    kind: str
    wording: str
    template: str | None
    sent_at: str | None
    failed_at: str | None
    error: str | None


class Round(Strict):
    """The three steps, and later events; `presumed`: a sign-up named no consent text."""

    round: int | None
    state: str | None
    wording: str | None
    presumed: bool
    steps: list[ProvenEvent]
    after: list[ProvenEvent]
    letters: list[Letter] = []


class Text(Strict):
    """A consent text."""

    hash: Hash
    language: str
    text: str


class Commitment(Strict):
    """The input of the rows' commitments."""

    algorithm: Literal["SHA-256"]
    nonce: Hash
    address: str


class Principal(Strict):
    """The person who gave the consent."""

    id: str
    email: str | None


class Record(Strict):
    """The record of one address."""

    record_id: str
    principal: Principal
    status: str
    reason: str | None
    since: str | None
    rounds: list[Round]
    wordings: list[Text]
    commitment: Commitment | None
    ledger: list[Entry]
    #: What another system stated, if the consent was taken over from it.
    imported: dict[str, str | int | None] | None = None


class Consent(Record):
    """A proof or a receipt; `related` are earlier or later addresses of the same person."""

    related: list[Record] = []
