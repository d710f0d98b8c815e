"""The tables. Rows are plain data: domain/lifecycle.py decides how they change, subscriptions/ changes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
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

from newsletter.config import Locale
from newsletter.domain.lifecycle import Event, MailchimpStatus, Reason, Status


class Model(DeclarativeBase):
    """Base of all tables; every constraint gets a name, so that a later migration can drop it."""

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
    """A time in UTC with microseconds; SQLite has no time zones and stores it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Raise ValueError for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy passes it
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _enum(enum: type[StrEnum], name: str) -> Enum:
    """A text column that the database restricts to the enum's values."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


#: SQLite increments only a column of exactly the type INTEGER.
_Counter = BigInteger().with_variant(Integer, "sqlite")


class Wording(Model):
    """A consent text as it was shown, never changed; a new text is a new row.

    At the end of its period only `text` is deleted: the hash stays, so that a withdrawn text is not published again.
    """

    __tablename__ = "wording"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    language: Mapped[Locale] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)  #: empty once it is deleted
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: How often it was confirmed; counted as the ledger is sealed.
    agreed: Mapped[int] = mapped_column(default=0)


class PrivacyNotice(Model):
    """A copy of the privacy notice that a consent text names; `since`: when the operator's file first had this text."""

    __tablename__ = "privacy_notice"

    wording: Mapped[str] = mapped_column(ForeignKey(Wording.hash), primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    hash: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)


#: Rows whose known status at Mailchimp is not the wanted one (UNSETTLED in domain/lifecycle.py). A constant text: a
#: planner uses a partial index only where a query repeats its condition word for word. With coalesce(), since SQLite
#: would use another index for `status` alone, and read all confirmed rows: 270 ms for a million.
OUT_OF_SYNC = (
    "(coalesce(status, '') = 'confirmed' AND NOT hold"
    " AND audience IN ('absent', 'unknown', 'unsubscribed')"
    " OR (coalesce(status, '') IN ('blocked', 'returning')"
    " OR coalesce(status, '') = 'confirmed' AND hold"
    " OR coalesce(status, '') = 'pending' AND replaces_ref IS NOT NULL)"
    " AND audience IN ('subscribed', 'unknown', 'awaiting'))"
)

#: People who confirmed, and whom Mailchimp refused or asks once more; written so for the same reasons.
NOT_TAKEN = (
    "(coalesce(status, '') = 'confirmed' AND NOT hold AND audience IN ('refused', 'awaiting'))"
)


class Subscription(Model):
    """One address and its status, here and at Mailchimp."""

    __tablename__ = "subscription"

    ref: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)  #: encrypted
    status: Mapped[Status] = mapped_column(_enum(Status, "status"))
    reason: Mapped[Reason | None] = mapped_column(_enum(Reason, "reason"))
    round: Mapped[int] = mapped_column(default=1)
    #: The last confirmed round; None: there is no consent to prove.
    confirmed_round: Mapped[int | None]
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    locale: Mapped[Locale] = mapped_column(String(8))
    wording: Mapped[str | None] = mapped_column(ForeignKey(Wording.hash))
    nonce: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    hold: Mapped[bool] = mapped_column(default=False)  #: Art. 18 GDPR
    #: What another system stated about the consent of somebody who was taken over from it; encrypted.
    imported: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: The row with the earlier address, which the confirmation of this one blocks.
    replaces_ref: Mapped[str | None] = mapped_column(String(32))
    #: The same row, kept after the confirmation.
    follows_ref: Mapped[str | None] = mapped_column(String(32))

    audience: Mapped[MailchimpStatus] = mapped_column(
        _enum(MailchimpStatus, "audience"), default=MailchimpStatus.ABSENT
    )
    audience_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    audience_due_since: Mapped[datetime] = mapped_column(UtcDateTime)
    audience_tries: Mapped[int] = mapped_column(default=0)
    audience_error: Mapped[str | None] = mapped_column(String(64))
    #: The status requested by calls with an unknown outcome (`unknown`: they requested different ones), and until when
    #: they may still take effect.
    audience_asked: Mapped[MailchimpStatus | None] = mapped_column(_enum(MailchimpStatus, "asked"))
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
        # A block may be without the address where Mailchimp has no contact.
        CheckConstraint(
            "address IS NOT NULL OR (status = 'blocked' AND audience = 'absent')", name="reachable"
        ),
        # For the audience loop, which finds rows whose status at Mailchimp is not the wanted one.
        Index("ix_subscription_place", "status", "hold", "audience", "audience_try_at"),
        # The migration gives partial indexes their condition on both databases. Naming PostgreSQL's here would load its
        # dialect, 2 MB, on SQLite as well.
        # For staff, who see the people waiting for Mailchimp, the longest wait first.
        Index(
            "ix_subscription_audience_due_since",
            "audience_due_since",
            sqlite_where=text(OUT_OF_SYNC),
        ),
        # For staff, who see the newest of those whom Mailchimp did not take.
        Index(
            "ix_subscription_not_taken",
            "audience_due_since",
            sqlite_where=text(NOT_TAKEN),
        ),
        # For the deletion of requests that nobody confirmed.
        Index(
            "ix_subscription_expires_at",
            "expires_at",
            sqlite_where=text("expires_at IS NOT NULL"),
        ),
        # For the two rows of a person whose address was corrected. Of the few alone: to a planner that has counted,
        # an index in which almost everybody has the same value finds nobody, and it would read all.
        Index(
            "ix_subscription_follows_ref",
            "follows_ref",
            sqlite_where=text("follows_ref IS NOT NULL"),
        ),
    )


class LetterKind(StrEnum):
    CONFIRMATION = "confirmation"
    WAY_BACK = "way_back"  #: names Mailchimp's own form to somebody whom we may not add there
    MY_DATA = "my_data"  #: a link to the person's data


class Letter(Model):
    """An e-mail, kept as evidence after it was sent. It is queued until it is sent or given up (`failed_at`)."""

    __tablename__ = "letter"

    #: The order of writing: two letters may have the same time.
    number: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    ref: Mapped[str] = mapped_column(ForeignKey(Subscription.ref, ondelete="CASCADE"), index=True)
    round: Mapped[int]
    kind: Mapped[LetterKind] = mapped_column(_enum(LetterKind, "kind"))
    wording: Mapped[str] = mapped_column(ForeignKey(Wording.hash))
    template: Mapped[str | None] = mapped_column(String(64))
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_by: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    copies: Mapped[int] = mapped_column(default=0)  #: how often it may have been delivered
    error: Mapped[str | None] = mapped_column(String(64))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    evidence: Mapped[bytes] = mapped_column(LargeBinary)  #: encrypted

    __table_args__ = (
        # For the postman, which takes the letter that has been due for the longest time.
        Index(
            "ix_letter_due_at",
            "due_at",
            "number",
            sqlite_where=text("sent_at IS NULL AND failed_at IS NULL"),
        ),
        # For staff, who see the newest failures first.
        Index(
            "ix_letter_failed_at",
            "failed_at",
            sqlite_where=text("failed_at IS NOT NULL"),
        ),
    )


class LedgerRow(Model):
    """One event, pseudonymous. Never updated, never deleted."""

    __tablename__ = "ledger_row"

    id: Mapped[int] = mapped_column(_Counter, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ref: Mapped[str] = mapped_column(String(32), index=True)
    round: Mapped[int | None]
    event: Mapped[Event] = mapped_column(_enum(Event, "event"))
    reason: Mapped[Reason | None] = mapped_column(_enum(Reason, "reason"))
    detail: Mapped[str | None] = mapped_column(String(64))  #: a code, such as Mailchimp's error
    wording: Mapped[str | None] = mapped_column(String(64))
    template: Mapped[str | None] = mapped_column(String(64))  #: version of our form, page or e-mail
    actor: Mapped[str | None] = mapped_column(String(64))
    commitment: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class Seal(Model):
    """The hash chain over the ledger: rows are only added, and positions have no gaps."""

    __tablename__ = "seal"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_id: Mapped[int] = mapped_column(ForeignKey(LedgerRow.id), unique=True)
    seal: Mapped[bytes] = mapped_column(LargeBinary(32))
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Step(StrEnum):
    """How far a request came, or how it ended."""

    REQUESTED = "requested"
    MAILED = "mailed"
    CONFIRMED = "confirmed"
    SUBSCRIBED = "subscribed"  #: at Mailchimp
    EXPIRED = "expired"
    DISOWNED = "disowned"
    MAIL_FAILED = "mail_failed"
    REFUSED = "refused"  #: by Mailchimp


class DailyCount(Model):
    """How many requests reached a step on a day in TIMEZONE; counted as the ledger is sealed."""

    __tablename__ = "daily_count"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    step: Mapped[Step] = mapped_column(_enum(Step, "step"), primary_key=True)
    number: Mapped[int]


class CallCount(Model):
    """How many calls to the mail server or to Mailchimp had an outcome, since the beginning."""

    __tablename__ = "call_count"

    side: Mapped[str] = mapped_column(String(16), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)


class Erasure(Model):
    """An erasure. Digest and address are kept until Mailchimp has confirmed; as long as the digest is there, a repeated
    request returns this row.
    """

    __tablename__ = "erasure"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ref: Mapped[str] = mapped_column(String(32), index=True)
    case_id: Mapped[str] = mapped_column(String(32), index=True)  #: of all erasures of one person
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)  #: encrypted
    keep_block: Mapped[bool] = mapped_column(default=False)
    #: For the receipt: codes of what was deleted here, and whether Mailchimp had the contact.
    found: Mapped[list[str]] = mapped_column(JSON, default=list)
    found_at_mailchimp: Mapped[bool] = mapped_column(default=False)
    actor: Mapped[str] = mapped_column(String(64))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Until when an earlier call may still add the person at Mailchimp again.
    settles_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(64))
    mailchimp_done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When its last row was deleted, and when SQLite's files contained none any more.
    deleted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    file_done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("completed_at IS NULL OR digest IS NULL", name="ends_anonymous"),
        # For staff, who see what has been open for the longest time, and what was completed last.
        Index("ix_erasure_completed_at", "completed_at", "requested_at"),
        # For the worker, which finds unfinished erasures among all that are kept as receipts.
        Index(
            "ix_erasure_requested_at",
            "requested_at",
            sqlite_where=text("mailchimp_done_at IS NULL"),
        ),
        Index(
            "ix_erasure_deleted_at",
            "deleted_at",
            sqlite_where=text("file_done_at IS NULL"),
        ),
    )


class Inquiry(Model):
    """A question of staff about an unknown address, which the worker passes to Mailchimp and DNS. Kept for a day."""

    __tablename__ = "inquiry"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    address: Mapped[bytes] = mapped_column(LargeBinary)  #: encrypted
    actor: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    #: What Mailchimp answered, or the reason of its last failure and the time of the next try.
    place: Mapped[MailchimpStatus | None] = mapped_column(_enum(MailchimpStatus, "place"))
    error: Mapped[str | None] = mapped_column(String(64))
    tries: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    has_mail_server: Mapped[bool | None]  #: None: not known


class Quota(Model):
    """The letters to an address in the last 24 hours; `letters`: a list of [RFC 3339 time, id of the letter]."""

    __tablename__ = "quota"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    letters: Mapped[list[list[str]]] = mapped_column(JSON)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Job(Model):
    """A job that only one worker does at a time: its lease, when it last ran, and its progress (`cursor`)."""

    __tablename__ = "job"

    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    leased_by: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ran_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cursor: Mapped[str | None] = mapped_column(Text)


class Notice(Model):
    """A message for staff; `owner` is the process that it concerns, "" for all. It ends at `until`."""

    __tablename__ = "notice"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(48), primary_key=True)
    detail: Mapped[str | None] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RetentionRun(Model):
    """One run of retention: when it began, and how many of each class of data it ended."""

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
