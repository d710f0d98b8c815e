"""Letters as rows: written in the transaction of what they are about, and dropped when nobody needs them any more.

The worker's postman sends them (worker/mail/postman.py).
"""

from __future__ import annotations

import base64
import json
import secrets
import zlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, delete, exists, select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.storage import jobs, statements
from newsletter.storage.keys import keyring
from newsletter.storage.models import Letter, LetterKind, Subscription
from newsletter.storage.moments import has_come, latest

EVIDENCE_COLUMN = "letter.evidence"
_PACKED = "zlib:"  #: how evidence begins that was packed; any other is JSON as it stands
_WORTH_PACKING = 256  #: characters; the little that a letter begins with would not get shorter

# Built once, as they are asked for whatever anybody does.
#: Of no round: what somebody asked to see of their data does not change with where they stand.
_OF_A_ROUND = Letter.kind != LetterKind.MY_DATA
_DROP_ROUND = delete(Letter).where(
    Letter.ref == bindparam("of"), Letter.round == bindparam("closed"), _OF_A_ROUND
)
_DROP_WAITING = delete(Letter).where(
    Letter.ref == bindparam("whose"),
    _OF_A_ROUND,
    Letter.sent_at.is_(None),
    Letter.failed_at.is_(None),
    # One that is being sent at this moment is settled by who sends it.
    has_come(Letter.leased_until, bindparam("now"), bindparam("latest")),
)

_MY_DATA_WAITS = select(
    exists().where(Letter.ref == bindparam("ref"), Letter.kind == LetterKind.MY_DATA)
)


def write(
    session: Session, row: Subscription, kind: LetterKind, *, wording: str, now: datetime
) -> str:
    """Write a letter to somebody; its id. `wording` is the hash of the consent text that it is about."""
    id_ = secrets.token_hex(16)
    host = _host_of(config.current().public_url)
    evidence = {"message_id": f"<{secrets.token_hex(16)}@{host}>"}
    statements.append(
        session,
        Letter,
        id=id_,
        ref=row.ref,
        round=row.round,
        kind=kind,
        wording=wording,
        written_at=now,
        due_at=now,
        tries=0,
        copies=0,
        evidence=seal_evidence(id_, evidence),
    )
    return id_


@cache
def _host_of(url: str) -> str:
    return urlsplit(url).hostname or "localhost"


def drop_waiting(session: Session, row: Subscription, now: datetime) -> None:
    """Take back what was not sent yet."""
    held = latest(now, jobs.LEASE)
    statements.delete(session, _DROP_WAITING, whose=row.ref, now=now, latest=held)


def drop_round(session: Session, row: Subscription) -> None:
    """Delete all letters of the present round."""
    statements.delete(session, _DROP_ROUND, of=row.ref, closed=row.round)


def my_data_waits(session: Session, ref: str) -> bool:
    """Tell whether somebody is to get a link to their data; such a letter is gone once it was sent or given up."""
    return bool(session.connection().execute(_MY_DATA_WAITS, {"ref": ref}).scalar())


def seal_evidence(letter_id: str, evidence: Mapping[str, Any]) -> bytes:
    """What is kept of a letter, as its row holds it: packed, then encrypted, which nothing packs any more."""
    text = json.dumps(evidence, ensure_ascii=False)
    if len(text) > _WORTH_PACKING:
        text = _PACKED + base64.b64encode(zlib.compress(text.encode())).decode()
    return keyring.current().encrypt(text, ref=letter_id, column=EVIDENCE_COLUMN)


def open_evidence(letter: Letter) -> dict[str, Any]:
    """What is kept of a letter, packed or not; raise Unreadable."""
    text = keyring.current().decrypt(letter.evidence, ref=letter.id, column=EVIDENCE_COLUMN)
    if text.startswith(_PACKED):
        text = zlib.decompress(base64.b64decode(text.removeprefix(_PACKED))).decode()
    evidence: dict[str, Any] = json.loads(text)
    return evidence
