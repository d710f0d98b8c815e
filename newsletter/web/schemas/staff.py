"""The bodies that staff send, and the JSON they get."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from newsletter.config import Locale
from newsletter.domain.lifecycle import Event, Reason, There
from newsletter.rights.proof.schema import Text
from newsletter.web.schemas.email import Email, HeldEmail
from newsletter.web.schemas.public import REFERENCE


class Whom(BaseModel):
    """Whom it is about."""

    # A misspelt keep_block must not pass for an erasure without one.
    model_config = ConfigDict(extra="forbid")

    email: HeldEmail


class AccessRequest(Whom):
    """Whose data to show."""

    locale: Locale | None = Field(
        None,
        description="Takes precedence over `Accept-Language`; without either, the person's own.",
    )


class ErasureRequest(Whom):
    """Whom to erase."""

    keep_block: StrictBool = Field(
        False, description="Keep a keyed checksum, so that nobody signs them up again."
    )


class BlockRequest(Whom):
    """Whom to block, and why."""

    reason: Literal["unsubscribed", "complaint", "bounce", "staff"] = Field(
        description="`unsubscribed`: withdrawn by phone or letter. `staff`: never again."
    )


class HoldRequest(Whom):
    """Whose data to restrict, or to release."""

    hold: StrictBool = Field(
        description="`true`: nothing is sent, Mailchimp stops, nothing ends (Art. 18 GDPR)."
    )


class RectificationRequest(Whom):
    """Whose address was wrong, and the right one."""

    new_email: Email = Field(
        description="Its owner is asked.", examples=["ada.lovelace@example.com"]
    )


class AtMailchimp(BaseModel):
    """What is known of a person at Mailchimp."""

    status: There
    error: str | None


class Happened(BaseModel):
    """One event of a person, from the ledger."""

    event: Event
    at: datetime
    round: int | None = None
    reason: Reason | None = None
    detail: str | None = None
    wording: str | None = None
    actor: str | None = Field(None, description="The name of the token, if staff did it.")


class SentLetter(BaseModel):
    """A letter, and its evidence."""

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
    reply: str | None = Field(None, description="Of the mail server.")
    values: dict[str, Any] | None = Field(None, description="What the letter said, without links.")


class Held(BaseModel):
    """All that is held about a person, and what Art. 15 GDPR asks to be told with it."""

    model_config = ConfigDict(extra="allow")

    reference: str = Field(examples=[REFERENCE])
    email: str | None = Field(description="Null where only a checksum is left.")
    status: Literal["pending", "confirmed", "blocked", "returning"]
    reason: Reason | None
    since: datetime
    expires_at: datetime | None
    left_at: datetime | None
    language: Locale
    hold: bool = Field(description="Restricted (Art. 18).")
    mailchimp: AtMailchimp
    events: list[Happened]
    letters: list[SentLetter]
    wording: Text | None
    controller: str
    contact: str
    privacy_notice: str
    purpose: str
    origin: str
    recipients: list[str]
    safeguards: str
    retention: str
    rights: list[str]
    authority: str | None
    automated_decisions: None
    related: list[Held] | None = Field(
        None, description="Addresses that this one corrected, or was corrected to."
    )
    erasure_id: str | None = Field(None, description="Of an erasure that is under way.")


class Erasing(BaseModel):
    """Nothing is held any more; an erasure is under way."""

    status: Literal["erasing"]
    erasure_id: str
    reference: str
