"""Letters as rows: queued in the transaction of the action, and deleted when they are not needed any more.

worker/mail/postman.py sends them.
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

from sqlalchemy import bindparam, delete, exists, func, select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.storage import jobs, statements
from newsletter.storage.keys import keyring
from newsletter.storage.models import Letter, LetterKind, Subscription
from newsletter.storage.moments import has_come, latest

EVIDENCE_COLUMN = "letter.evidence"
_PACKED = "zlib:"  #: prefix of compressed evidence; without it, evidence is JSON
_WORTH_PACKING = 256  #: characters; shorter text would not get smaller
_WINDOW = 12  #: 4 KiB, about as long as evidence; with the usual 32, preparing takes longest

#: Not in the words of the index of all waiting letters: PostgreSQL would walk through it to find one person's, since it
#: takes the index for empty if nothing waited when it last counted.
IS_WAITING = func.coalesce(Letter.sent_at, Letter.failed_at).is_(None)

# Built once, since every use case needs them. One statement may contain several, so their parameters differ in name.
#: A my-data e-mail belongs to no round: it stays valid when the status changes.
_OF_A_ROUND = Letter.kind != LetterKind.MY_DATA
_DROP_ROUND = delete(Letter).where(
    Letter.ref == bindparam("of"), Letter.round == bindparam("closed"), _OF_A_ROUND
)
_DROP_QUEUED = delete(Letter).where(
    Letter.ref == bindparam("whose"),
    _OF_A_ROUND,
    IS_WAITING,
    # The postman that is sending one right now records its outcome.
    has_come(Letter.leased_until, bindparam("now"), bindparam("latest")),
)

_IS_MY_DATA_QUEUED = select(
    exists().where(Letter.ref == bindparam("ref"), Letter.kind == LetterKind.MY_DATA)
)


def write(
    session: Session, row: Subscription, kind: LetterKind, *, wording: str, now: datetime
) -> str:
    """Queue a letter; its id. `wording` is the hash of its consent text."""
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


def drop_queued(session: Session, row: Subscription, now: datetime) -> None:
    """Delete letters that are not sent yet."""
    leased = latest(now, jobs.LEASE)
    statements.delete(session, _DROP_QUEUED, whose=row.ref, now=now, latest=leased)


def drop_round(session: Session, row: Subscription) -> None:
    """Delete all letters of the present round."""
    statements.delete(session, _DROP_ROUND, of=row.ref, closed=row.round)


def is_my_data_queued(session: Session, ref: str) -> bool:
    """Tell whether a my-data e-mail is queued; it is deleted once it was sent or given up."""
    return bool(session.connection().execute(_IS_MY_DATA_QUEUED, {"ref": ref}).scalar())


def seal_evidence(letter_id: str, evidence: Mapping[str, Any]) -> bytes:
    """Compress and encrypt the evidence of a letter; in this order, since ciphertext cannot be compressed."""
    text = json.dumps(evidence, ensure_ascii=False)
    if len(text) > _WORTH_PACKING:
        text = _PACKED + base64.b64encode(zlib.compress(text.encode(), wbits=_WINDOW)).decode()
    return keyring.current().encrypt(text, ref=letter_id, column=EVIDENCE_COLUMN)


def open_evidence(letter: Letter) -> dict[str, Any]:
    """The decrypted evidence of a letter; raise Unreadable."""
    text = keyring.current().decrypt(letter.evidence, ref=letter.id, column=EVIDENCE_COLUMN)
    if text.startswith(_PACKED):
        text = zlib.decompress(base64.b64decode(text.removeprefix(_PACKED))).decode()
    evidence: dict[str, Any] = json.loads(text)
    return evidence
