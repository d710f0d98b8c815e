"""The tables. Rows are plain data: what may happen to them is decided in lifecycle.py, done in subscriptions/."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from newsletter.domain.lifecycle import Event, MailchimpStatus, Reason, Status


class Model(DeclarativeBase):
    """What all tables share: names for every constraint, so that a later migration can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(
    metadata=Model.metadata, disable_autonaming=True, session_options={"expire_on_commit": False}
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC with microseconds; SQLite, which knows no zones, holds it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse moments without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy hands it in
    ) -> datetime | None:
        """Give the moment back in UTC, whatever the database's own zone is."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _word(enum: type[StrEnum], name: str) -> Enum:
    """An enum's values, checked by the database."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


#: SQLite counts by itself only in a column of exactly this type.
_Counter = BigInteger().with_variant(Integer, "sqlite")


class Wording(Model):
    """A consent text as it was shown, never changed; a new text is a new row.

    What ends is the text alone: that this one was withdrawn stays known by its hash.
    """

    __tablename__ = "wording"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    language: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)  #: empty once it has ended
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def has_ended(self) -> bool:
        """Tell whether the text is there no more."""
        return not self.text


class Subscription(Model):
    """One address and where it stands, here and at Mailchimp."""

    __tablename__ = "subscription"

    ref: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)  #: encrypted
    status: Mapped[Status] = mapped_column(_word(Status, "status"))
    reason: Mapped[Reason | None] = mapped_column(_word(Reason, "reason"))
    round: Mapped[int] = mapped_column(default=1)
    confirmed_round: Mapped[int | None]  #: the round last confirmed: there is a consent to prove
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    locale: Mapped[str] = mapped_column(String(8))
    wording: Mapped[str | None] = mapped_column(ForeignKey(Wording.hash))
    nonce: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    hold: Mapped[bool] = mapped_column(default=False)  #: Art. 18 GDPR
    replaces_ref: Mapped[str | None] = mapped_column(String(32))  #: whom its confirmation blocks
    follows_ref: Mapped[str | None] = mapped_column(
        String(32)
    )  #: whose corrected address it is, for good

    audience: Mapped[MailchimpStatus] = mapped_column(
        _word(MailchimpStatus, "audience"), default=MailchimpStatus.ABSENT
    )
    audience_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    audience_tries: Mapped[int] = mapped_column(default=0)
    audience_error: Mapped[str | None] = mapped_column(String(64))
    #: What calls asked for whose outcome is not known (`unknown`: one this, one that), and until when Mailchimp
    #: may still carry them out.
    audience_asked: Mapped[MailchimpStatus | None] = mapped_column(_word(MailchimpStatus, "asked"))
    audience_settles_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    synced_round: Mapped[int | None]  #: the round whose add Mailchimp acknowledged

    __table_args__ = (
        CheckConstraint("status <> 'unknown'", name="somewhere"),
        CheckConstraint(
            "(status IN ('pending', 'returning')) = (expires_at IS NOT NULL)", name="open_ends"
        ),
        CheckConstraint(
            "(status IN ('blocked', 'returning')) = (reason IS NOT NULL)", name="blocked_why"
        ),
        # Only a block that Mailchimp knows nothing of may be a digest alone.
        CheckConstraint(
            "address IS NOT NULL OR (status = 'blocked' AND audience = 'absent')", name="reachable"
        ),
        # For the audience loop, which looks for rows whose place at Mailchimp is not the wanted one.
        Index("ix_subscription_place", "status", "hold", "audience", "audience_try_at"),
        # For the purge of requests that nobody confirmed.
        Index(
            "ix_subscription_expires_at",
            "expires_at",
            sqlite_where=text("expires_at IS NOT NULL"),
            postgresql_where=text("expires_at IS NOT NULL"),
        ),
        # For the pair of rows that a changed address leaves behind.
        Index(None, "follows_ref"),
    )


class LetterKind(StrEnum):
    """What a letter is for."""

    CONFIRMATION = "confirmation"
    WAY_BACK = "way_back"  #: how to come back to Mailchimp, which does not let us add the person
    MY_DATA = "my_data"  #: a link to all that is held, for whoever asked for it


class Letter(Model):
    """A letter to send, or one that was sent: then its evidence. It waits while neither sent nor failed."""

    __tablename__ = "letter"

    #: The order of writing: two letters may bear the same time.
    number: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    ref: Mapped[str] = mapped_column(ForeignKey(Subscription.ref, ondelete="CASCADE"), index=True)
    round: Mapped[int]
    kind: Mapped[LetterKind] = mapped_column(_word(LetterKind, "kind"))
    wording: Mapped[str] = mapped_column(ForeignKey(Wording.hash))
    template: Mapped[str | None] = mapped_column(String(64))
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_by: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    copies: Mapped[int] = mapped_column(default=0)  #: how many may have arrived
    error: Mapped[str | None] = mapped_column(String(64))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    evidence: Mapped[bytes] = mapped_column(LargeBinary)  #: encrypted

    __table_args__ = (
        # For the postman, which takes the letter that has waited longest.
        Index(
            "ix_letter_due_at",
            "due_at",
            "number",
            sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
    )


class LedgerRow(Model):
    """One thing that has happened. Never updated, never deleted; nothing personal in it."""

    __tablename__ = "ledger_row"

    id: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ref: Mapped[str] = mapped_column(String(32), index=True)
    round: Mapped[int | None]
    event: Mapped[Event] = mapped_column(_word(Event, "event"))
    reason: Mapped[Reason | None] = mapped_column(_word(Reason, "reason"))
    detail: Mapped[str | None] = mapped_column(String(64))  #: a code: what was synced, why not
    wording: Mapped[str | None] = mapped_column(String(64))
    actor: Mapped[str | None] = mapped_column(String(64))
    commitment: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class Seal(Model):
    """The chain over the ledger: rows are only added, in a dense sequence of its own."""

    __tablename__ = "seal"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_id: Mapped[int] = mapped_column(ForeignKey(LedgerRow.id), unique=True)
    seal: Mapped[bytes] = mapped_column(LargeBinary(32))
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Erasure(Model):
    """An erasure on its way; digest (while it stands, a repeated request is this one) and address live until
    Mailchimp has confirmed.
    """

    __tablename__ = "erasure"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ref: Mapped[str] = mapped_column(String(32), index=True)
    case_id: Mapped[str] = mapped_column(String(32), index=True)  #: shared by all of one person
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)  #: encrypted
    keep_block: Mapped[bool] = mapped_column(default=False)
    #: Codes of what there was to delete here, and whether Mailchimp had the contact: what the receipt may name.
    found: Mapped[list[str]] = mapped_column(JSON, default=list)
    found_at_mailchimp: Mapped[bool] = mapped_column(default=False)
    actor: Mapped[str] = mapped_column(String(64))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Until when a call made before may still put the person back at Mailchimp.
    settles_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(64))
    mailchimp_done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When something was last deleted for it, which SQLite's files must be cleaned of, and when they were.
    deleted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    file_done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("completed_at IS NULL OR digest IS NULL", name="ends_anonymous"),
        # For the worker, which looks for what is still to be done among the receipts.
        Index(
            "ix_erasure_requested_at",
            "requested_at",
            sqlite_where=text("mailchimp_done_at IS NULL"),
            postgresql_where=text("mailchimp_done_at IS NULL"),
        ),
        Index(
            "ix_erasure_deleted_at",
            "deleted_at",
            sqlite_where=text("file_done_at IS NULL"),
            postgresql_where=text("file_done_at IS NULL"),
        ),
    )


class Quota(Model):
    """When letters were written to an address of late: `letters` is a list of [RFC 3339 time, letter's id]."""

    __tablename__ = "quota"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    letters: Mapped[list[list[str]]] = mapped_column(JSON)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Job(Model):
    """Something that only one worker does at a time: its lease, when it last ran, and where it goes on."""

    __tablename__ = "job"

    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    leased_by: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ran_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cursor: Mapped[str | None] = mapped_column(Text)


class Notice(Model):
    """What a process wants staff to know; `owner` is "" where it concerns all of them. It ends at `until`."""

    __tablename__ = "notice"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(48), primary_key=True)
    detail: Mapped[str | None] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RetentionRun(Model):
    """One run of the job that ends data: when it began, and how many of each class it ended, counts alone."""

    __tablename__ = "retention_run"

    id: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=True)
    ran_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    counts: Mapped[dict[str, int]] = mapped_column(JSON)


class Keyring(Model):
    """A random key, wrapped by DATA_KEY."""

    __tablename__ = "keyring"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    purpose: Mapped[str] = mapped_column(String(16))
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
