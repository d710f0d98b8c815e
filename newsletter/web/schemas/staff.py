"""The bodies that staff send, and the JSON they get."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from newsletter.config import Locale
from newsletter.domain.lifecycle import Event, Reason, There
from newsletter.web.schemas.email import Email, HeldEmail

_REFERENCE = "6f1d0c9e5b7a4838a2c4e1f09d3b7a65"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_MOMENT = "2026-03-01T12:00:00Z"


class _Staff(BaseModel):
    # A misspelt keep_block must not pass for an erasure without one.
    model_config = ConfigDict(extra="forbid")

    email: HeldEmail = Field(description="Whom it is about.")


class Whom(_Staff):
    """Whom it is about."""


class AccessRequest(_Staff):
    """Whose data to show."""

    locale: Locale | None = Field(
        None,
        description="The language of what is told beside the data; without it the one that "
        "`Accept-Language` asks for, else the person's own.",
        examples=["en"],
    )


class ErasureRequest(_Staff):
    """Whom to erase."""

    keep_block: StrictBool = Field(
        False, description="Keep a keyed checksum, so that nobody signs them up again."
    )


class BlockRequest(_Staff):
    """Whom to block, and why."""

    reason: Literal["unsubscribed", "complaint", "bounce", "staff"] = Field(
        description="`unsubscribed`: withdrawn by phone or letter. `staff`: never again.",
        examples=["unsubscribed"],
    )


class HoldRequest(_Staff):
    """Whose data to hold, or to release."""

    hold: StrictBool = Field(
        description="`true`: nothing is sent, Mailchimp stops, nothing ends (Art. 18 GDPR). "
        "`false`: it goes on as before.",
        examples=[True],
    )


class RectificationRequest(_Staff):
    """Whose address was wrong, and what it is."""

    new_email: Email = Field(
        description="The right one; who owns it is asked.", examples=["ada.lovelace@example.com"]
    )


class AtMailchimp(BaseModel):
    """What is known of a person at Mailchimp."""

    status: There
    error: str | None


class Happened(BaseModel):
    """One thing that has happened to a person, from the ledger."""

    event: Event
    at: datetime
    round: int | None = None
    reason: Reason | None = None
    detail: str | None = None
    wording: str | None = None
    actor: str | None = Field(None, description="The name of the token, where staff did it.")


class SentLetter(BaseModel):
    """A letter, and what is kept as evidence of it."""

    model_config = ConfigDict(extra="allow")

    kind: Literal["confirmation", "way_back", "my_data"]
    round: int
    written_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None
    error: str | None
    wording: str
    template: str | None
    message_id: str
    reply: str | None = Field(None, description="What the mail server answered.")
    values: dict[str, Any] | None = Field(
        None, description="What the letter said; never its links."
    )


class AgreedText(BaseModel):
    """The consent text that a person was shown, word for word."""

    hash: str
    language: Locale
    text: str


class Held(BaseModel):
    """All that is held about a person, and what Art. 15 GDPR asks to be told beside it."""

    model_config = ConfigDict(extra="allow")

    reference: str = Field(description="As letters print it.", examples=[_REFERENCE])
    email: str | None = Field(
        description="Null where a checksum alone is left.", examples=["ada@example.com"]
    )
    status: Literal["pending", "confirmed", "blocked", "returning"] = Field(examples=["confirmed"])
    reason: Reason | None = Field(description="Why, of whom is blocked.", examples=[None])
    since: datetime = Field(examples=[_MOMENT])
    expires_at: datetime | None = Field(examples=[None])
    left_at: datetime | None = Field(examples=[None])
    language: Locale = Field(examples=["en"])
    hold: bool = Field(description="Restricted (Art. 18).", examples=[False])
    mailchimp: AtMailchimp = Field(examples=[{"status": "subscribed", "error": None}])
    events: list[Happened] = Field(
        examples=[
            [
                {"event": "signup", "at": _MOMENT, "round": 1, "wording": _HASH},
                {"event": "confirmed", "at": _MOMENT, "round": 1, "wording": _HASH},
            ]
        ]
    )
    letters: list[SentLetter] = Field(examples=[[]])
    wording: AgreedText | None = Field(
        examples=[{"hash": _HASH, "language": "en", "text": "I would like to receive …"}]
    )
    controller: str = Field(examples=["Example Ltd, 1 Example Street, London"])
    contact: str = Field(examples=["privacy@example.com"])
    privacy_notice: str = Field(examples=["https://www.example.com/privacy"])
    purpose: str = Field(examples=["Sending the newsletter, and proving the consent to it …"])
    origin: str = Field(examples=["Entered in the sign-up form; …"])
    recipients: list[str] = Field(examples=[["Mailchimp …"]])
    safeguards: str = Field(examples=["the transfer to the USA rests on …"])
    retention: str = Field(examples=["until the consent is withdrawn; …"])
    rights: list[str] = Field(examples=[["access (Art. 15)", "rectification (Art. 16)"]])
    authority: str | None = Field(examples=[None])
    automated_decisions: None = Field(examples=[None])
    related: list[Held] | None = Field(
        None, description="The rows of an address that this one corrected, or was corrected to."
    )
    erasure_id: str | None = Field(None, description="Of an erasure that is under way beside it.")


class Erasing(BaseModel):
    """Nothing is held any more but an erasure that is under way."""

    status: Literal["erasing"]
    erasure_id: str
    reference: str
