"""The newest signed head: one small file beside the checkpoints, for what was sealed since the newest of those.

Each replaces the one before. It has a folder of its own, since that of the checkpoints is read again whenever a file in
it changes (newest.py). One of before a backup was restored is superseded by the checkpoint that says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import WrongDocument
from newsletter.ledger import checkpoints, files, sealing
from newsletter.ledger.files import Identity
from newsletter.ledger.sealing import Head
from newsletter.storage.keys import keyring, signing
from newsletter.storage.keys.signing import Document

KIND = "newsletter ledger head"
NAME = "head/head.json"


@dataclass(frozen=True)
class SignedHead:
    """What the file says; `key` is the fingerprint of whose signature it bears."""

    key: str
    restorations: int
    position: int
    row_id: int
    seal: str
    at: datetime


def identity(folder: Path) -> Identity | None:
    """Which file stands there; None: none. Raise OSError."""
    return files.identity(folder / NAME)


def read(folder: Path) -> SignedHead | None:
    """What it says, whoever signed it; None where there is none. Raise WrongDocument, and OSError."""
    try:
        octets = (folder / NAME).read_bytes()
    except FileNotFoundError:
        return None
    key, document = signing.opened(octets, kind=KIND, what="signed head")
    try:
        return _said(key, document)
    except (KeyError, TypeError, ValueError):
        raise WrongDocument("It is no signed head.") from None


def _said(key: str, document: Document) -> SignedHead:
    return SignedHead(
        key=key,
        restorations=int(document["restorations"]),
        position=int(document["position"]),
        row_id=int(document["row_id"]),
        seal=str(document["seal"]),
        at=datetime.fromisoformat(document["at"]),
    )


def fits(session: Session, signed: SignedHead) -> bool:
    """Tell whether the ledger has the seal that it names. It was read before the database is."""
    there = sealing.seal_at(session, signed.position)
    return there is not None and there.seal.hex() == signed.seal


def write(folder: Path, head: Head, *, restorations: int, seen: Identity | None) -> None:
    """Sign a head and put it in place of the one that was seen; raise FileExistsError where it is another, OSError."""
    assert head.row_id is not None and head.sealed_at is not None  # noqa: S101, PT018 - tells mypy
    document = {
        "kind": KIND,
        "restorations": restorations,
        "position": head.position,
        "row_id": head.row_id,
        "seal": head.seal.hex(),
        "sealed_at": rfc3339(head.sealed_at),
        "at": rfc3339(clock.now()),
    }
    key = keyring.signer()
    checkpoints.export(folder, key.public_key())
    file = folder / NAME
    file.parent.mkdir(mode=0o700, exist_ok=True)
    files.replace(file, json.dumps(signing.sign(document, key), indent=2) + "\n", seen=seen)
