"""The access export: all that is held about a person (Art. 15 GDPR)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import config, erasures, ledger, retention
from newsletter.address import Address
from newsletter.config import Settings
from newsletter.correspondence import open_evidence
from newsletter.database import writing
from newsletter.errors import NobodyKnown
from newsletter.formatting import rfc3339
from newsletter.lifecycle import Event, Status
from newsletter.models import LedgerRow, Letter, Subscription, Wording
from newsletter.person import address_of, meet
from newsletter.subscriptions import family_of


def of(address: Address, *, actor: str) -> dict[str, object]:
    """All that is held about the person behind an address; raise NobodyKnown. That it was seen is logged."""
    with writing() as session:
        person = meet(session, address)
        erasure = erasures.find_open(session, person.digest)
        if person.row is None and erasure is None:
            raise NobodyKnown
        if person.row is None and erasure is not None:
            ledger.append(session, ref=erasure.ref, event=Event.VIEWED, at=person.now, actor=actor)
            return {"status": "erasing", "erasure_id": erasure.id, "reference": erasure.ref}
        assert person.row is not None  # noqa: S101 - tells mypy; both cases without it have returned
        row = person.row
        ledger.append(
            session, ref=row.ref, round=row.round, event=Event.VIEWED, at=person.now, actor=actor
        )
        session.flush()
        held = _held(session, row)
        relatives = [session.get(Subscription, ref) for ref in family_of(session, row)]
        held["related"] = [_held(session, relative) for relative in relatives if relative]
        if erasure is not None:
            held["erasure_id"] = erasure.id
        return held


def _held(session: Session, row: Subscription) -> dict[str, object]:
    settings = config.current()
    address = address_of(row)
    return {
        "reference": row.ref,
        "email": address.text if address else None,
        "status": str(row.status),
        "reason": str(row.reason) if row.reason else None,
        "since": _time(row.since),
        "expires_at": _time(row.expires_at),
        "left_at": _time(row.left_at),
        "language": row.locale,
        "hold": row.hold,
        "mailchimp": {"status": str(row.audience), "error": row.audience_error},
        "events": [_event(event) for event in ledger.events_of(session, row.ref)],
        "letters": [_letter(letter) for letter in _letters(session, row)],
        "wording": _wording(session, row),
        **_duties(row, settings),
    }


def _time(value: datetime | None) -> str | None:
    return rfc3339(value) if value else None


def _event(row: LedgerRow) -> dict[str, object]:
    told = {
        "event": str(row.event),
        "at": _time(row.at),
        "round": row.round,
        "reason": str(row.reason) if row.reason else None,
        "detail": row.detail,
        "wording": row.wording,
        "actor": row.actor,
    }
    return {name: value for name, value in told.items() if value is not None}


def _letters(session: Session, row: Subscription) -> Sequence[Letter]:
    query = select(Letter).where(Letter.ref == row.ref).order_by(Letter.written_at)
    return session.scalars(query).all()


def _letter(letter: Letter) -> dict[str, object]:
    """What is kept of a letter, its evidence included."""
    return {
        "kind": str(letter.kind),
        "round": letter.round,
        "written_at": _time(letter.written_at),
        "sent_at": _time(letter.sent_at),
        "failed_at": _time(letter.failed_at),
        "error": letter.error,
        "wording": letter.wording,
        "template": letter.template,
        **open_evidence(letter),
    }


def _wording(session: Session, row: Subscription) -> dict[str, str] | None:
    agreed = session.get(Wording, row.wording) if row.wording else None
    if agreed is None:
        return None
    return {"hash": agreed.hash, "language": agreed.language, "text": agreed.text}


def _duties(row: Subscription, settings: Settings) -> dict[str, object]:
    """What Art. 15(1)(a)-(h) asks to be told beside the data."""
    return {
        "controller": settings.imprint_in(row.locale),
        "contact": settings.contact_email,
        "privacy_notice": settings.privacy_url_in(row.locale),
        "purpose": "Sending the newsletter, and proving the consent to it (Art. 6(1)(a), 7(1) GDPR).",
        "origin": "Entered in the sign-up form; confirmed, where it says so, by the address's owner.",
        "recipients": ["Mailchimp (The Rocket Science Group LLC, USA), once confirmed"],
        "retention": _retention(row, settings),
        "rights": [
            "access (Art. 15)",
            "rectification (Art. 16)",
            "erasure (Art. 17)",
            "restriction (Art. 18)",
            "portability (Art. 20)",
            "withdrawing the consent at any time (Art. 7(3))",
            "a complaint to a supervisory authority (Art. 77)",
        ],
        "authority": settings.authority,
        "automated_decisions": None,
    }


def _retention(row: Subscription, settings: Settings) -> str:
    if row.status is Status.PENDING and row.expires_at is not None:
        return f"deleted within 24 hours of {_time(row.expires_at)} unless confirmed"
    if row.confirmed_round is None and row.left_at is not None:
        return "a keyed digest of the address, as long as the block stands"
    if row.left_at is not None:
        until = retention.proof_until(row.left_at, settings.zone)
        return f"the proof of the consent until {until.isoformat()}, then deleted"
    return (
        "until the consent is withdrawn; its proof to the end of the third calendar year after that"
    )
