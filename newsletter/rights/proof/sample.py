"""A made-up proof for samples of its page: a consent that was corrected, given, withdrawn and partly sealed."""

from __future__ import annotations

from typing import Any

from newsletter.domain.consent import ConsentText
from newsletter.storage.keys.signing import Document

_REFERENCE = "0" * 32
_HASH = "0" * 64
_AT = "2026-03-01T12:00:00.123456Z"


def of_erased_person(consent: ConsentText) -> Document:
    """The proof of an erased person: only events."""
    return {
        **whole(consent),
        "principal": {"id": _REFERENCE, "email": None},
        "status": "unknown",
        "since": None,
        "follows": None,
        "wordings": [],
        "commitment": None,
        "related": [],
        "erasure_id": _REFERENCE,
        "rounds": [
            {
                "round": None,
                "state": "erased",
                "wording": None,
                "presumed": False,
                "steps": [],
                "after": [_event("erased", 5)],
            }
        ],
        "ledger": [_entry(5, "erased")],
    }


def whole(consent: ConsentText) -> Document:
    """A proof with all its parts."""
    record = _record(consent)
    return {
        "made_at": _AT,
        **record,
        "erasure_id": None,
        "related": [record],
        "language": consent.language,
        "purposes": [
            {
                "purpose": "…",
                "lawful_basis": "…",
                "collection_method": "…",
                "retention_period": "…",
                "recipient_third_parties": [{"name": "Mailchimp", "role": "…"}],
                "withdrawal_method": ["…"],
            }
        ],
        "privacy_rights": ["…"],
        "authority": "…",
        "signature": {"algorithm": "Ed25519", "value": "…"},
    }


def _record(consent: ConsentText) -> dict[str, Any]:
    names = ("signup", "mail_sent", "confirmed", "blocked")
    return {
        "record_id": _REFERENCE,
        "principal": {"id": _REFERENCE, "email": "ada@example.com"},
        "status": "blocked",
        "reason": "unsubscribed",
        "since": _AT,
        "follows": _REFERENCE,
        "rounds": [
            {
                "round": 1,
                "state": "withdrawn",
                "wording": consent.hash,
                "presumed": False,
                "steps": [
                    {**_event(name, row), "template": _HASH}
                    for row, name in enumerate(names[:3], 1)
                ],
                "after": [{**_event(names[3], 4), "reason": "unsubscribed", "entity_id": "dpo"}],
                "letters": [_letter(consent)],
            }
        ],
        "wordings": [
            {
                "published_at": _AT,
                **vars(consent),
                "privacy_notices": [{"since": _AT, "hash": _HASH, "text": "…"}],
            }
        ],
        "commitment": {"algorithm": "SHA-256", "nonce": _HASH, "address": "ada@example.com"},
        "ledger": [_entry(row, name) for row, name in enumerate(names, 1)],
    }


def _event(name: str, row: int) -> dict[str, Any]:
    return {"event": name, "at": _AT, "row": row, "entity_id": "service"}


def _entry(row: int, event: str) -> dict[str, Any]:
    seal = {"position": row, "sealed_at": _AT, "before": _HASH, "seal": _HASH}
    fields = {"id": row, "event": event, "at": _AT, "commitment": _HASH}
    return {"row": fields, "seal": seal if row < 4 else None}


def _letter(consent: ConsentText) -> dict[str, Any]:
    return {
        "kind": "confirmation",
        "written_at": _AT,
        "sent_at": _AT,
        "failed_at": None,
        "error": None,
        "wording": consent.hash,
        "template": _HASH,
        "message_id": "<sample@example.com>",
        "reply": "250 OK",
        "subject": "…",
        "text": "…",
    }
