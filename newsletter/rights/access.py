"""The access export: all data about a person (Art. 15 GDPR)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.config import Locale
from newsletter.domain.address import Address
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import NobodyKnown
from newsletter.domain.lifecycle import Event
from newsletter.ledger import consent_state, log
from newsletter.storage.database import writing
from newsletter.storage.models import LedgerRow, Letter, Subscription, Wording
from newsletter.subscriptions import erasures, takeover
from newsletter.subscriptions.family import family_of
from newsletter.subscriptions.letters import open_evidence
from newsletter.subscriptions.person import Known, address_of, lock_person
from newsletter.texts import legal


def of(address: Address, *, actor: str, locale: Locale | None = None) -> dict[str, object]:
    """All data about the person with this address; raise NobodyKnown. The view is recorded in the ledger.

    Texts are in `locale`, by default in the person's language.
    """
    with writing() as session:
        person = lock_person(session, address)
        erasure = erasures.find_open(session, person.digest)
        if not isinstance(person, Known):
            if erasure is None:
                raise NobodyKnown
            log.append(session, ref=erasure.ref, event=Event.VIEWED, at=person.now, actor=actor)
            return {"status": "erasing", "erasure_id": erasure.id, "reference": erasure.ref}
        data = of_person(person, actor=actor, locale=locale)
        if erasure is not None:
            data["erasure_id"] = erasure.id
        return data


def of_person(person: Known, *, actor: str, locale: Locale | None = None) -> dict[str, object]:
    """All data about a known person, whose related addresses are shown, too. The view is recorded in the ledger."""
    session, row = person.session, person.row
    note_view(person, actor=actor)
    data = of_row(session, row, locale)
    relatives = [session.get(Subscription, ref) for ref in family_of(session, row)]
    data["related"] = [of_row(session, relative, locale) for relative in relatives if relative]
    return data


def note_view(person: Known, *, actor: str) -> None:
    """Record in the ledger that a person's data was shown."""
    log.append(
        person.session,
        ref=person.row.ref,
        round=person.row.round,
        event=Event.VIEWED,
        at=person.now,
        actor=actor,
    )


def of_row(session: Session, row: Subscription, locale: Locale | None = None) -> dict[str, object]:
    """All data of one subscription."""
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
        "events": [_event(event) for event in log.events_of(session, row.ref)],
        "letters": [_letter(letter) for letter in _letters(session, row)],
        "wording": _wording(session, row),
        "imported": takeover.evidence_of(row),
        **legal.access_duties(
            row,
            settings,
            locale or row.locale,
            is_taken_over=log.is_taken_over(session, row.ref),
        ),
    }


def _time(value: datetime | None) -> str | None:
    return rfc3339(value) if value else None


def _event(row: LedgerRow) -> dict[str, object]:
    fields = {
        "event": str(row.event),
        "at": _time(row.at),
        "round": row.round,
        "reason": str(row.reason) if row.reason else None,
        "detail": row.detail,
        "wording": row.wording,
        "presumed": consent_state.is_presumed(row) or None,
        "template": row.template,
        "actor": row.actor,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _letters(session: Session, row: Subscription) -> Sequence[Letter]:
    query = select(Letter).where(Letter.ref == row.ref).order_by(Letter.number)
    return session.scalars(query).all()


def _letter(letter: Letter) -> dict[str, object]:
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
