"""The signed documents: the proof for staff, and the receipt for the person."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from newsletter.config import Locale
from newsletter.rights.proof.schema import Consent
from newsletter.storage.keys import signing
from newsletter.storage.keys.signing import Document


class Signature(BaseModel):
    """Ed25519 over the rest of the document in its canonical form (RFC 8785); both values in Base64."""

    algorithm: Literal["Ed25519"]
    public_key: str
    value: str


class _Signed(Consent):
    # ISO/IEC TS 27560 gives these their names.
    schema_: Literal["doi-consent/1"] = Field(alias="schema")
    conforms_to: str = Field(examples=["ISO/IEC TS 27560:2023"])
    made_at: str = Field(json_schema_extra={"format": "date-time"})
    language: Locale
    privacy_notice: str
    controller: dict[str, Any]
    purposes: list[dict[str, Any]]
    privacy_rights: list[str]
    authority: str | None
    signature: Signature


class Proof(_Signed):
    """The proof of a consent; `newsletter proof verify` checks it."""

    kind: Literal["proof"]
    erasure_id: str | None = Field(description="Of an erased person.")


class Receipt(_Signed):
    """The person's receipt: the consent, and the unsubscribe link."""

    kind: Literal["receipt"]


def say_signed(document: Document) -> Response:
    """Answer with a signed document in its canonical form, over which it was signed."""
    return Response(signing.canonical(document), mimetype="application/json")
