"""How the ledger is sealed: each seal is SHA-256 over the seal before it, its place, its time, and one row.

Pure: what seals are made of, so that whoever holds rows and seals can check them, with or without a database.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from newsletter.formatting import rfc3339
from newsletter.models import LedgerRow
from newsletter.signing import canonical

#: What the first seal follows.
START = bytes(32)


def told(row: LedgerRow) -> dict[str, Any]:
    """All columns of a row, as JSON has them; nothing of a row is left out of its seal."""
    return {
        "id": row.id,
        "at": rfc3339(row.at),
        "ref": row.ref,
        "round": row.round,
        "event": str(row.event),
        "reason": str(row.reason) if row.reason else None,
        "detail": row.detail,
        "wording": row.wording,
        "actor": row.actor,
        "commitment": row.commitment.hex() if row.commitment else None,
    }


def seal(before: bytes, position: int, sealed_at: datetime, row: dict[str, Any]) -> bytes:
    """The seal at a position (from 1, dense) over the one before it and a row as `told`."""
    place = {"before": before.hex(), "position": position, "sealed_at": rfc3339(sealed_at)}
    return hashlib.sha256(canonical(place | {"row": row})).digest()
