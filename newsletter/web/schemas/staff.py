"""The requests of staff, and their JSON answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from newsletter.config import Locale
from newsletter.domain.lifecycle import Event, MailchimpStatus, Reason
from newsletter.rights.proof.schema import Text
from newsletter.web.schemas.email import Email, HeldEmail
from newsletter.web.schemas.public import REFERENCE


class Subject(BaseModel):
    """The address of the person concerned."""

    # With extra fields allowed, a misspelt keep_block would be an erasure without a block.
    model_config = ConfigDict(extra="forbid")

    email: HeldEmail


class AccessRequest(Subject):
    """The person whose data is requested."""

    locale: Locale | None = Field(
        None,
        description="Takes precedence over `Accept-Language`; without either, the person's own.",
    )


class ErasureRequest(Subject):
    """The person to erase."""

    keep_block: StrictBool = Field(
        False, description="Keep a keyed digest of the address, which stays blocked."
    )


class BlockRequest(Subject):
    """The address to block, and the reason."""

    reason: Literal["unsubscribed", "complaint", "bounce", "staff"] = Field(
        description="`unsubscribed`: withdrawn by phone or letter. `staff`: permanent."
    )


class HoldRequest(Subject):
    """Whether processing of the person's data is restricted."""

    hold: StrictBool = Field(
        description="`true`: no e-mails, unsubscribed at Mailchimp, nothing is deleted by itself (Art. 18 GDPR)."
    )


class RectificationRequest(Subject):
    """The wrong address, and the right one."""

    new_email: Email = Field(
        description="Its owner has to confirm.", examples=["ada.lovelace@example.com"]
    )


class AtMailchimp(BaseModel):
    """The last known status at Mailchimp."""

    status: MailchimpStatus
    error: str | None


class Happened(BaseModel):
    """An event from the ledger."""

    event: Event
    at: datetime
    round: int | None = None
    reason: Reason | None = None
    detail: str | None = None
    wording: str | None = None
    actor: str | None = Field(None, description="The name of the token, for actions of staff.")


class SentLetter(BaseModel):
    """An e-mail, and its evidence."""

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
    reply: str | None = Field(None, description="The reply of the mail server.")
    values: dict[str, Any] | None = Field(
        None, description="The values in the e-mail, without links."
    )


class TakenOver(BaseModel):
    """What another system stated of the consent. Without `confirmed_at` there is no proof."""

    model_config = ConfigDict(extra="allow")

    origin: str = Field(examples=["mailchimp"])
    confirmed_at: datetime | None = None
    requested_at: datetime | None = None
    source: str | None = None
    note: str | None = None
    file: str | None = Field(None, description="SHA-256 of the file's contents.")
    file_name: str | None = Field(None, description="SHA-256 of the file's name.")
    row: int | None = None


class Held(BaseModel):
    """All data about a person, and the information required by Art. 15 GDPR."""

    model_config = ConfigDict(extra="allow")

    reference: str = Field(examples=[REFERENCE])
    email: str | None = Field(description="Null if only a keyed digest is stored.")
    status: Literal["pending", "confirmed", "blocked", "returning"]
    reason: Reason | None
    since: datetime
    expires_at: datetime | None
    left_at: datetime | None
    language: Locale
    hold: bool = Field(description="Whether processing is restricted (Art. 18).")
    mailchimp: AtMailchimp
    events: list[Happened]
    letters: list[SentLetter]
    wording: Text | None
    imported: TakenOver | None
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
        None, description="Earlier or later addresses of the same person."
    )
    erasure_id: str | None = Field(None, description="The erasure that is under way.")


class Erasing(BaseModel):
    """The data is deleted here; an erasure is under way."""

    status: Literal["erasing"]
    erasure_id: str
    reference: str
