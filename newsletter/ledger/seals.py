"""How a seal is computed: SHA-256 over the seal before it, its position, its time, and one row.

Pure functions: an outsider can check rows and seals without a database.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Protocol

from newsletter.domain.clock import rfc3339
from newsletter.domain.lifecycle import Event, Reason
from newsletter.ledger import consent_state
from newsletter.storage.keys.signing import canonical

#: Takes the place of the seal before the first one.
START = bytes(32)

#: All rows of a batch have the same `sealed_at`.
_sealed_at = lru_cache(maxsize=4)(rfc3339)


class Row(consent_state.Row, Protocol):
    """All columns of a ledger row."""

    @property
    def at(self) -> datetime: ...
    @property
    def event(self) -> Event: ...
    @property
    def reason(self) -> Reason | None: ...
    @property
    def commitment(self) -> bytes | None: ...


def row_as_json(row: Row) -> dict[str, Any]:
    """All columns of a row, as its seal covers them; an empty text differs from null."""
    reason, commitment = row.reason, row.commitment
    return {
        "id": row.id,
        "at": rfc3339(row.at),
        "ref": row.ref,
        "round": row.round,
        "event": row.event.value,
        "reason": None if reason is None else reason.value,
        "detail": row.detail,
        "wording": row.wording,
        "template": row.template,
        "actor": row.actor,
        "commitment": None if commitment is None else commitment.hex(),
    }


def seal(before: bytes, position: int, sealed_at: datetime, row: dict[str, Any]) -> bytes:
    """The seal at a position (from 1, without gaps), 32 octets. `row`: as `row_as_json` returns it."""
    place = {"before": before.hex(), "position": position, "sealed_at": rfc3339(sealed_at)}
    return hashlib.sha256(canonical(place | {"row": row})).digest()


def seal_row(before: bytes, position: int, sealed_at: datetime, row: Row) -> bytes:
    """The same as `seal`, in a third of the time: a verification computes it for every row."""
    reason, commitment = row.reason, row.commitment
    canonical_row = (
        f'{{"actor":{_text(row.actor)},"at":"{rfc3339(row.at)}"'
        f',"commitment":{"null" if commitment is None else _quoted(commitment.hex())}'
        f',"detail":{_text(row.detail)},"event":"{row.event.value}","id":{row.id}'
        f',"reason":{"null" if reason is None else _quoted(reason.value)},"ref":{_text(row.ref)}'
        f',"round":{"null" if row.round is None else row.round}'
        f',"template":{_text(row.template)},"wording":{_text(row.wording)}}}'
    )
    place = f'{{"before":"{before.hex()}","position":{position},"row":'
    whole = f'{place}{canonical_row},"sealed_at":"{_sealed_at(sealed_at)}"}}'
    return hashlib.sha256(whole.encode()).digest()


def _text(value: str | None) -> str:
    return "null" if value is None else encode_basestring(value)


def _quoted(word: str) -> str:
    return f'"{word}"'
