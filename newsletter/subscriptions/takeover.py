"""What is recorded of a person who was taken over from another system.

The evidence is what was stated there, as JSON: `origin`, `confirmed_at`, `requested_at`, `source`, `note`, and the file
and row that it was read from. It belongs to the first round: who signs up anew gives a consent of our own.
"""

from __future__ import annotations

import json
from typing import Any

from newsletter.domain.lifecycle import Action, Decision, Event, MailchimpStatus, TakeOver
from newsletter.storage.keys import keyring
from newsletter.storage.models import Subscription

COLUMN = "subscription.imported"
FIRST_ROUND = 1
#: The end of an event's detail where no time of consent was stated.
WITHOUT_PROOF = "without_proof"
#: Which export of our own evidence came with, and which row of it; not passed on to the next.
EXPORT_FILE, EXPORT_ROW = "export_file", "export_row"


def begin(row: Subscription, action: TakeOver) -> None:
    """Fill in the new row of somebody who is taken over."""
    row.hold = action.held
    row.audience = action.there or MailchimpStatus.UNKNOWN
    if row.audience is MailchimpStatus.SUBSCRIBED:
        # Whoever is not subscribed there any more has left: nobody adds them again.
        row.synced_round = FIRST_ROUND
    if action.reason is not None:
        row.left_at = action.kept_since or row.left_at
    if not action.evidence:
        return
    if action.reason is not None:
        # The consent was withdrawn, and can still be proved.
        row.round, row.confirmed_round = FIRST_ROUND + 1, FIRST_ROUND
    ring = keyring.current()
    row.imported = ring.encrypt(action.evidence, ref=row.ref, column=COLUMN)


def recorded(decision: Decision, action: Action) -> tuple[str | None, str]:
    """The ledger's detail of an event, and the evidence that it is bound to."""
    if decision.event is not Event.IMPORTED or not isinstance(action, TakeOver):
        return None, ""
    return action.origin, action.evidence


def is_present(row: Subscription) -> bool:
    """Tell whether the present consent, or the one last given, is one that was taken over."""
    return row.imported is not None and row.confirmed_round == FIRST_ROUND


def evidence_of(row: Subscription) -> dict[str, Any] | None:
    """What was stated of somebody's consent; None where they were not taken over."""
    if row.imported is None:
        return None
    return read(row.ref, row.imported)


def to_pass_on(row: Subscription) -> dict[str, Any]:
    """The evidence without the way on which it came here last."""
    evidence = evidence_of(row) or {}
    return {
        name: value for name, value in evidence.items() if name not in (EXPORT_FILE, EXPORT_ROW)
    }


def read(ref: str, imported: bytes) -> dict[str, Any]:
    """The evidence of a row that was read by columns; raise Unreadable."""
    evidence: dict[str, Any] = json.loads(
        keyring.current().decrypt(imported, ref=ref, column=COLUMN)
    )
    return evidence
