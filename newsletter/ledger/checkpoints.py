"""Checkpoints: the ledger's signed heads as files, outside the database, so that its owner cannot rewrite it unnoticed.

One file each, named by how often the database was restored and by the head's position, so that the names' order is the
order in which they were made. Each names by reference who was erased since the one before it in the same folder: after
a restored backup, they are forgotten again. Nothing personal stands in them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from newsletter.domain.errors import WrongDocument
from newsletter.ledger import files
from newsletter.storage.keys import keyring, signing
from newsletter.storage.keys.signing import Document

KIND = "newsletter ledger checkpoint"
_NAME = re.compile(r"checkpoint-(\d{4,})-(\d{12,})\.json")


@dataclass(frozen=True)
class Lost:
    """A checkpoint that a restored database knows nothing of any more."""

    position: int
    seal: str
    digest: str


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint's file says; `key` is the fingerprint of whose signature it bears, `digest` its file's own."""

    name: str
    digest: str
    key: str
    restorations: int
    position: int
    row_id: int
    seal: str
    at: datetime
    before: str | None  #: the digest of the one before
    erased: tuple[tuple[str, bool], ...]  #: references, and whether a block is kept of each
    kept: tuple[int, str] | None  #: where the restored database ended: its position and seal
    lost: tuple[Lost, ...]

    @property
    def place(self) -> tuple[int, int]:
        """The place in the order in which they were made."""
        return self.restorations, self.position


def names(folder: Path) -> list[str]:
    """The names of all checkpoints in a folder, oldest first; raise OSError."""
    found = [match for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return [match[0] for match in sorted(found, key=lambda match: (int(match[1]), int(match[2])))]


def read(file: Path) -> Checkpoint:
    """What a file says; raise WrongDocument where it is not signed, or was changed since, and OSError."""
    key, document = signing.opened(file.read_bytes(), kind=KIND, what="checkpoint")
    try:
        checkpoint = _said(file.name, key, document)
    except (KeyError, TypeError, ValueError):
        raise WrongDocument("It is no checkpoint.") from None
    if checkpoint.name != name_of(checkpoint.restorations, checkpoint.position):
        raise WrongDocument("Its name is another's.")
    return checkpoint


def _said(name: str, key: str, document: Document) -> Checkpoint:
    restored = document["restored"] or {"kept": None, "lost": []}
    kept = restored["kept"]
    return Checkpoint(
        name=name,
        digest=digest_of(document),
        key=key,
        restorations=int(document["restorations"]),
        position=int(document["position"]),
        row_id=int(document["row_id"]),
        seal=str(document["seal"]),
        at=datetime.fromisoformat(document["at"]),
        before=document["before"],
        erased=tuple(
            (str(one["reference"]), bool(one["keep_block"])) for one in document["erased"]
        ),
        kept=None if kept is None else (int(kept["position"]), str(kept["seal"])),
        lost=tuple(Lost(one["position"], one["seal"], one["digest"]) for one in restored["lost"]),
    )


def newest(folder: Path) -> Checkpoint | None:
    """The newest that is signed, by whomever; None where there is none. Raise OSError."""
    for name in reversed(names(folder)):
        try:
            return read(folder / name)
        except WrongDocument:
            continue  # which is for vouching.py to tell
    return None


def all_in(folder: Path) -> Iterator[Checkpoint | tuple[str, WrongDocument]]:
    """All, oldest first, or a file's name and what is wrong with it; raise OSError."""
    for name in names(folder):
        try:
            yield read(folder / name)
        except WrongDocument as wrong:
            yield name, wrong


def name_of(restorations: int, position: int) -> str:
    """The name of a checkpoint's file."""
    return f"checkpoint-{restorations:04}-{position:012}.json"


def digest_of(document: Document) -> str:
    """What a checkpoint is known by: SHA-256 over all of it, its signature included."""
    return hashlib.sha256(signing.canonical(document)).hexdigest()


def write(folder: Path, document: Document) -> Checkpoint:
    """Sign a checkpoint and put it into its folder, whole or not at all; raise OSError.

    One that stands there by its name already counts, since others may name it: whoever is late, with a lease that ended
    meanwhile, replaces nothing. Raise WrongDocument where it is none.
    """
    key = keyring.signer()
    export(folder, key.public_key())
    signed = signing.sign(document, key)
    name = name_of(document["restorations"], document["position"])
    with suppress(FileExistsError):
        files.put(folder / name, json.dumps(signed, indent=2) + "\n")
    return read(folder / name)


def export(folder: Path, key: Ed25519PublicKey) -> None:
    """Leave the public key beside what it signed, for whoever checks that without the database; raise OSError."""
    file = folder / f"key-{signing.fingerprint(key)}.pem"
    if not file.exists():
        with suppress(FileExistsError):
            files.put(file, signing.public_pem(key))
