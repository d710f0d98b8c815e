"""What is recorded of a person who was taken over from another system.

The evidence is what was stated there, as JSON: `origin`, `confirmed_at`, `requested_at`, `source`, `note`, and the file
and row that it was read from. It belongs to the first round: a person who signs up anew gives a new consent.
"""

from __future__ import annotations

import json
from typing import Any

from newsletter.domain.lifecycle import Action, Decision, Event, MailchimpStatus, TakeOver
from newsletter.storage.keys import keyring
from newsletter.storage.models import Subscription

COLUMN = "subscription.imported"
FIRST_ROUND = 1
#: What an event's detail ends with if no time of consent was stated.
WITHOUT_PROOF = "without_proof"
#: Keys for the export of another such service, and its row, that evidence was read from.
EXPORT_FILE, EXPORT_ROW = "export_file", "export_row"


def fill_in(row: Subscription, action: TakeOver) -> None:
    """Fill in the new row of a person who is taken over."""
    row.hold = action.held
    row.audience = action.at_mailchimp or MailchimpStatus.UNKNOWN
    if row.audience is MailchimpStatus.SUBSCRIBED:
        # A contact that is unsubscribed there later has left, and is not added again.
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


def detail_and_evidence(decision: Decision, action: Action) -> tuple[str | None, str]:
    """The detail of an event for the ledger, and the evidence that its commitment includes."""
    if decision.event is not Event.IMPORTED or not isinstance(action, TakeOver):
        return None, ""
    return action.origin, action.evidence


def is_present(row: Subscription) -> bool:
    """Tell whether the consent last given is the one that was taken over."""
    return row.imported is not None and row.confirmed_round == FIRST_ROUND


def evidence_of(row: Subscription) -> dict[str, Any] | None:
    """What was stated of the consent; None if the person was not taken over."""
    if row.imported is None:
        return None
    return read(row.ref, row.imported)


def evidence_to_export(row: Subscription) -> dict[str, Any]:
    """The evidence without the export that it was read from."""
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
