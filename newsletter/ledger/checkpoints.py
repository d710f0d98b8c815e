"""Checkpoints: signed heads of the ledger, one line each in an append-only file outside of the database.

Each line contains the SHA-256 of the line before it. So only the signature of the last line is checked: it covers all
of them. A crash or a full disk may leave a torn line. The next append ends it, and readers skip it: it is not JSON, and
the line after it names the line before it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from newsletter.domain.errors import WrongDocument
from newsletter.storage.keys import keyring, signing
from newsletter.storage.keys.signing import Document

NAME = "checkpoints.jsonl"
KIND = "newsletter ledger checkpoint"
_CHUNK_OCTETS = 65_536


@dataclass(frozen=True)
class Checkpoint:
    """One line, parsed; digests and seals are hexadecimal."""

    digest: str  #: SHA-256 over the line
    key: str | None  #: fingerprint of the key that signed it; None: a later line covers it
    position: int
    row_id: int
    seal: str
    at: datetime
    before: str | None  #: digest of the line before
    erased: tuple[tuple[str, bool], ...]  #: reference numbers, each with whether its block is kept
    is_restored: bool  #: it was written after a backup was restored
    restored_after: str | None  #: digest of the last line that the backup knew


def last(folder: Path) -> Checkpoint | None:
    """The last line; None where there is none. Raise WrongDocument; raise OSError where the folder is missing."""
    return next(backwards(folder), None)


def backwards(folder: Path) -> Iterator[Checkpoint]:
    """All lines, the last first. Raise WrongDocument at one that was tampered with, and OSError."""
    try:
        file = (folder / NAME).open("rb")
    except FileNotFoundError:
        folder.stat()  # raises where the folder is missing, too
        return
    with file:
        yield from _checked(file)


def digest_of(line: bytes) -> str:
    """SHA-256 over a line without its line feed, in hexadecimal."""
    return hashlib.sha256(line).hexdigest()


def append(folder: Path, document: Document, *, after: Checkpoint | None) -> bool:
    """Sign a document and append it, flushed to disk. Raise WrongDocument, and OSError.

    False, and nothing is written, where `after` is no longer the last line.
    """
    linked = {"kind": KIND, **document, "before": after and after.digest}
    line = signing.canonical(signing.sign(linked, keyring.signer()))
    descriptor = os.open(folder / NAME, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
        found = next(_checked(file), None)
        if (found and found.digest) != (after and after.digest):
            return False
        _write(file, line)
    if after is None:
        _sync(folder)
    return True


def _write(file: BinaryIO, line: bytes) -> None:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 1))
    is_torn = file.read() not in (b"", b"\n")
    octets = b"\n" * is_torn + line + b"\n"
    if file.write(octets) != len(octets):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Flush the directory entry of a new file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checked(file: BinaryIO) -> Iterator[Checkpoint]:
    newer: Checkpoint | None = None
    for line in _lines_backwards(file):
        try:
            document = json.loads(line)
        except ValueError:
            continue  # torn
        digest, key = digest_of(line), None
        if newer is None:
            key = _key_of(document)
        elif digest != newer.before:
            raise _broken(newer)
        newer = _parsed(document, digest, key)
        yield newer
    if newer is not None and newer.before is not None:
        raise _broken(newer)


def _key_of(document: object) -> str:
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise WrongDocument("The last line is no checkpoint.")
    try:
        return signing.fingerprint(signing.verify(document))
    except WrongDocument as wrong:
        raise WrongDocument(f"The last line: {wrong}") from None


def _broken(newer: Checkpoint) -> WrongDocument:
    return WrongDocument(
        f"The line of position {newer.position} does not name the line before it:"
        " lines were changed, inserted or deleted."
    )


def _parsed(document: Document, digest: str, key: str | None) -> Checkpoint:
    try:
        restored = document["restored"]
        return Checkpoint(
            digest=digest,
            key=key,
            position=int(document["position"]),
            row_id=int(document["row_id"]),
            seal=str(document["seal"]),
            at=datetime.fromisoformat(document["at"]),
            before=document["before"],
            erased=tuple((one["reference"], one["keep_block"]) for one in document["erased"]),
            is_restored=restored is not None,
            restored_after=None if restored is None else restored["after"],
        )
    except (KeyError, TypeError, ValueError):
        raise WrongDocument(f"The line of SHA-256 {digest} is no checkpoint.") from None


def _lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    """Lines without their line feeds, the last first: b"" unless the file ends in a torn line."""
    place, rest = file.seek(0, os.SEEK_END), b""
    while place > 0:
        size = min(_CHUNK_OCTETS, place)
        place -= size
        file.seek(place)
        rest, *lines = (file.read(size) + rest).split(b"\n")
        yield from reversed(lines)
    yield rest
