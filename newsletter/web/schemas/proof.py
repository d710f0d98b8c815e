"""The proofs that staff get, and the receipt that a person keeps; both are signed, so neither may be laid out anew."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from newsletter.config import Locale
from newsletter.domain.lifecycle import Event, Reason
from newsletter.storage.keys import signing
from newsletter.storage.keys.signing import Document

_REFERENCE = "6f1d0c9e5b7a4838a2c4e1f09d3b7a65"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_MOMENT = "2026-03-01T12:00:00.123456Z"
_ROW = {
    "id": 7,
    "at": _MOMENT,
    "ref": _REFERENCE,
    "round": 1,
    "event": "confirmed",
    "reason": None,
    "detail": None,
    "wording": _HASH,
    "actor": None,
    "commitment": _HASH,
}
_SEAL = {"position": 7, "sealed_at": _MOMENT, "before": _HASH, "seal": _HASH}


class _Told(BaseModel):
    model_config = ConfigDict(extra="allow")


class Principal(_Told):
    """Whose consent it is."""

    id: str
    email: str | None = Field(description="Null where it is not held any more.")


class ProvenEvent(_Told):
    """One thing that has happened, and the ledger row that says so."""

    event: Event
    at: datetime
    row: int
    state: str | None = Field(None, description="Of the consent, in the standard's words.")


class Round(_Told):
    """A consent from its request to its end."""

    round: int | None
    state: str | None
    wording: str | None = Field(description="The text agreed to, else the one last shown.")
    steps: list[ProvenEvent] = Field(description="Sign-up, letter and confirmation.")
    after: list[ProvenEvent]
    letters: list[dict[str, Any]] | None = Field(
        None, description="As sent, with the mail server's reply; a proof's alone."
    )


class FullText(_Told):
    """A consent text, word for word; its hash is SHA-256 over language, line break and text."""

    hash: str
    language: Locale
    text: str


class Commitment(_Told):
    """The rows' commitments are SHA-256 over the nonce's octets and the address."""

    algorithm: Literal["SHA-256"]
    nonce: str
    address: str = Field(description="In lower case.")


class SealedRow(_Told):
    """A ledger row, and its seal with the one before; null until it is sealed."""

    row: dict[str, Any]
    seal: dict[str, Any] | None


class Signature(BaseModel):
    """Ed25519 over all the rest, in the canonical form of RFC 8785."""

    algorithm: Literal["Ed25519"]
    public_key: str
    value: str


class _Record(_Told):
    record_id: str = Field(description="The reference number.", examples=[_REFERENCE])
    principal: Principal = Field(examples=[{"id": _REFERENCE, "email": "ada@example.com"}])
    status: Literal["unknown", "pending", "confirmed", "blocked", "returning"] = Field(
        examples=["confirmed"]
    )
    reason: Reason | None = Field(examples=[None])
    since: datetime | None = Field(examples=[_MOMENT])
    follows: str | None = Field(
        description="The reference number whose address this one corrects.", examples=[None]
    )
    rounds: list[Round] = Field(
        examples=[
            [
                {
                    "round": 1,
                    "state": "given",
                    "wording": _HASH,
                    "steps": [{"event": "confirmed", "at": _MOMENT, "row": 7, "state": "given"}],
                    "after": [],
                }
            ]
        ]
    )
    wordings: list[FullText] = Field(
        examples=[[{"hash": _HASH, "language": "en", "text": "I would like to receive …"}]]
    )
    commitment: Commitment | None = Field(
        examples=[{"algorithm": "SHA-256", "nonce": _HASH, "address": "ada@example.com"}]
    )
    ledger: list[SealedRow] = Field(examples=[[{"row": _ROW, "seal": _SEAL}]])


class _Signed(_Record):
    # What ISO/IEC TS 27560 calls these.
    schema_: Literal["doi-consent/1"] = Field(alias="schema", examples=["doi-consent/1"])
    conforms_to: str = Field(examples=["ISO/IEC TS 27560:2023"])
    made_at: datetime = Field(examples=[_MOMENT])
    language: Locale = Field(examples=["en"])
    privacy_notice: str = Field(examples=["https://www.example.com/privacy"])
    controller: dict[str, Any] = Field(examples=[{"name": "Example Ltd", "type": "controller"}])
    purposes: list[dict[str, Any]] = Field(examples=[[{"purpose": "Sending the newsletter …"}]])
    privacy_rights: list[str] = Field(examples=[["access (Art. 15 GDPR)"]])
    authority: str | None = Field(examples=[None])
    signature: Signature = Field(
        examples=[{"algorithm": "Ed25519", "public_key": "c2ln…", "value": "bmF0dXJl…"}]
    )


class Proof(_Signed):
    """The proof of a consent, to be checked with `newsletter proof verify`."""

    kind: Literal["proof"] = Field(examples=["proof"])
    erasure_id: str | None = Field(description="Of somebody erased.", examples=[None])
    related: list[_Record] = Field(
        description="The addresses that this one corrected, or was corrected to.", examples=[[]]
    )


class Receipt(_Signed):
    """What the person keeps: their consent, and the link to leave again."""

    kind: Literal["receipt"] = Field(examples=["receipt"])


def say_signed(document: Document) -> Response:
    """Answer with a signed document, octet by octet as it was signed: every changed one is then found."""
    octets = signing.canonical(document)
    return Response(octets, mimetype="application/json")
