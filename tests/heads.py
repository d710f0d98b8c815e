"""Checkpoints as somebody once signed them, of any age."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from newsletter.ledger import checkpoints
from newsletter.storage.keys import signing

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def put(folder: Path, position: int, at: str) -> str:
    """A checkpoint that somebody has signed."""
    head = {
        "kind": checkpoints.KIND,
        "restorations": 0,
        "position": position,
        "row_id": position,
        "seal": "0" * 64,
        "at": at,
        "before": None,
        "erased": [],
        "restored": None,
    }
    name = checkpoints.name_of(0, position)
    (folder / name).write_text(json.dumps(signing.sign(head, KEY)), encoding="utf-8")
    return name
