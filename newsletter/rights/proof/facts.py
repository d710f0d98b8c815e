"""The facts of a proof: the events, texts and e-mails of each round, and the sealed ledger rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.domain.clock import rfc3339
from newsletter.ledger import consent_state, seals
from newsletter.ledger.consent_state import is_step, state_of
from newsletter.storage.models import LedgerRow, Letter, PrivacyNotice, Seal, Wording
from newsletter.subscriptions.letters import open_evidence

Fact = dict[str, Any]


def rounds_of(session: Session, events: Sequence[LedgerRow], *, with_letters: bool) -> list[Fact]:
    """Each round: its three steps, later events, the consent text and the e-mails."""
    rounds = []
    for number, rows in consent_state.by_round(events).items():
        fact = {"round": number, **_round(rows)}
        if with_letters and number is not None:
            fact["letters"] = _letters(session, events[0].ref, number)
        rounds.append(fact)
    return rounds


def _round(rows: list[LedgerRow]) -> Fact:
    return {
        "state": consent_state.last_state(rows),
        "wording": consent_state.agreed_or_shown(rows),
        "presumed": any(map(consent_state.is_presumed, rows)),
        "steps": [_event(row) for row in rows if is_step(row)],
        "after": [_event(row) for row in rows if not is_step(row)],
    }


def _event(row: LedgerRow) -> Fact:
    fields = {
        "event": str(row.event),
        "at": rfc3339(row.at),
        "row": row.id,
        "state": state_of(row),
        "entity_id": consent_state.actor_of(row),
        "reason": str(row.reason) if row.reason else None,
        "detail": row.detail,
        "wording": row.wording,
        "template": row.template,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _letters(session: Session, reference: str, number: int) -> list[Fact]:
    """The e-mails of a round as they were sent, with the mail server's replies."""
    query = select(Letter).where(Letter.ref == reference, Letter.round == number)
    return [
        {
            "kind": str(letter.kind),
            "written_at": rfc3339(letter.written_at),
            "sent_at": rfc3339(letter.sent_at) if letter.sent_at else None,
            "failed_at": rfc3339(letter.failed_at) if letter.failed_at else None,
            "error": letter.error,
            "wording": letter.wording,
            "template": letter.template,
            **open_evidence(letter),
        }
        for letter in session.scalars(query.order_by(Letter.number))
    ]


def wordings_of(session: Session, events: Sequence[LedgerRow]) -> list[Fact]:
    """Every consent text that the rows name, in full."""
    named = {row.wording for row in events if row.wording}
    query = select(Wording).where(Wording.hash.in_(named))
    return [
        {
            "hash": text.hash,
            "language": text.language,
            "published_at": rfc3339(text.published_at),
            "text": text.text,
            "privacy_notices": _privacy_notices(session, text.hash),
        }
        for text in session.scalars(query.order_by(Wording.published_at, Wording.hash))
    ]


def _privacy_notices(session: Session, wording: str) -> list[Fact]:
    """The copies of the privacy notice that a consent text names, each since when it was kept."""
    query = select(PrivacyNotice).where(PrivacyNotice.wording == wording)
    return [
        {"since": rfc3339(each.since), "hash": each.hash, "text": each.text}
        for each in session.scalars(query.order_by(PrivacyNotice.since))
    ]


def sealed(session: Session, events: Sequence[LedgerRow]) -> list[Fact]:
    """The rows, each with its seal and the previous one, so that it can be recomputed; unsealed rows without."""
    ids = [row.id for row in events]
    by_row = {
        seal.row_id: seal for seal in session.scalars(select(Seal).where(Seal.row_id.in_(ids)))
    }
    before_them = [seal.position - 1 for seal in by_row.values()]
    query = select(Seal.position, Seal.seal).where(Seal.position.in_(before_them))
    before = dict(session.execute(query).all())
    return [
        {
            "row": seals.row_as_json(row),
            "seal": _seal(by_row[row.id], before) if row.id in by_row else None,
        }
        for row in events
    ]


def _seal(seal: Seal, before: dict[int, bytes]) -> Fact:
    return {
        "position": seal.position,
        "sealed_at": rfc3339(seal.sealed_at),
        "before": before.get(seal.position - 1, seals.START).hex(),
        "seal": seal.seal.hex(),
    }
