"""The shape of a proof or a receipt: what is named here, a check compares with the ledger's rows.

Whatever else it says is signed, and borne out by nothing else.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Strict(BaseModel):
    """No number passes for a text, nor a text for a number."""

    model_config = ConfigDict(strict=True, extra="allow")


class Row(Strict):
    """A ledger row."""

    # All of a row is sealed: a field more or less makes another seal.
    model_config = ConfigDict(extra="forbid")

    id: int
    at: str
    ref: str
    round: int | None
    event: str
    reason: str | None
    detail: str | None
    wording: str | None
    actor: str | None
    commitment: Hash | None


class Seal(Strict):
    """Its seal, and the one that it follows."""

    position: int = Field(ge=1)
    sealed_at: str
    before: Hash
    seal: Hash


class Entry(Strict):
    """A row, sealed or not yet."""

    row: Row
    seal: Seal | None


class ProvenEvent(Strict):
    """What a row says, in its place in a round."""

    event: str
    at: str
    row: int
    state: str | None = None
    entity_id: str
    reason: str | None = None
    detail: str | None = None
    wording: str | None = None


class Letter(Strict):
    """A letter of a round, as it was sent or given up."""

    kind: str
    wording: str
    sent_at: str | None
    failed_at: str | None
    error: str | None


class Round(Strict):
    """The three steps, and what came after."""

    round: int | None
    state: str | None
    wording: str | None
    steps: list[ProvenEvent]
    after: list[ProvenEvent]
    letters: list[Letter] = []


class Text(Strict):
    """A consent text."""

    hash: Hash
    language: str
    text: str


class Commitment(Strict):
    """What the rows' commitments are made of."""

    algorithm: Literal["SHA-256"]
    nonce: Hash
    address: str


class Principal(Strict):
    """Whose consent it is."""

    id: str
    email: str | None


class Record(Strict):
    """All about one address."""

    record_id: str
    principal: Principal
    status: str
    reason: str | None
    since: str | None
    rounds: list[Round]
    wordings: list[Text]
    commitment: Commitment | None
    ledger: list[Entry]


class Consent(Record):
    """A proof or a receipt; `related` are the addresses that this one corrected, or was corrected to."""

    related: list[Record] = []
