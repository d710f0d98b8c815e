"""The keys that personal data is encrypted and recognised with.

Random keys lie in the database, wrapped by DATA_KEY, which lies outside it: the data key encrypts (AES-256-GCM,
NIST SP 800-38D, with the row's ref and the column as associated data, so that no ciphertext can be moved), the
digest key recognises an address (HMAC-SHA-256), the signing key signs what we show (Ed25519, RFC 8032). Changing
any of them is rotation.py's part; docs/keys.md says when.

Each process keeps the keyring and reads it anew every so often, so that a data key made by another process is soon
used by all; it looks at once where it meets a value under a key that it does not know, where a connection to the
database is new, and whenever something is to be signed.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from weakref import ref

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask, current_app
from sqlalchemy import event, exists, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.errors import LostKeyring, Unavailable, Unreadable, WrongDataKey
from newsletter.storage import database
from newsletter.storage.keys import signing
from newsletter.storage.keys.wrapping import KEY_OCTETS, unwrap, wrap
from newsletter.storage.models import Keyring as KeyringRow
from newsletter.storage.models import Subscription, db

#: How old a kept keyring may be. Rotation waits far longer before it takes an old key away.
READ_EVERY = timedelta(seconds=60)
DATA, DIGEST, SIGNING = "data", "digest", "signing"
VERIFYING = "verifying"  #: the public half of a key that signed once
_NEEDED = (DATA, DIGEST, SIGNING)
_NONCE_OCTETS = 12
_ID_OCTETS = 4
_NEVER = datetime.min.replace(tzinfo=UTC)
#: What is said of a keyring that was wrapped anew, while all of its keys are still those that are kept.
LEFT_OUT = (
    "DATA_KEY does not open the keyring any more: this process works until it ends; put the one that does into"
    " its list, and restart it"
)

#: The newest key of each purpose: its number and when it was made, since a restored backup gives numbers anew.
Version = dict[str, tuple[int, datetime]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class Keyring:
    """The keys, unwrapped: `data` by their id (the newest encrypts), the one that makes digests, the one that signs."""

    data: dict[int, AESGCM]
    digest_key: bytes
    #: As of when the keyring was read: whoever signs asks `signer()`.
    signing_key: Ed25519PrivateKey
    #: Every key that ever signed for us, the newest first.
    public_keys: tuple[Ed25519PublicKey, ...]
    version: Version
    read_at: datetime
    #: DATA_KEY would not open it any more.
    is_left_out: bool = False

    def encrypt(self, plain: str, *, ref: str, column: str) -> bytes:
        """Encrypt one value of one row; the result names its key."""
        key_id = max(self.data)
        nonce = secrets.token_bytes(_NONCE_OCTETS)
        sealed = self.data[key_id].encrypt(nonce, plain.encode(), _bound_to(ref, column))
        return prefix(key_id) + nonce + sealed

    def decrypt(self, sealed: bytes, *, ref: str, column: str) -> str:
        """Decrypt one value of one row; raise Unreadable where it belongs to another row or column."""
        key_id = int.from_bytes(sealed[:_ID_OCTETS], "big")
        nonce = sealed[_ID_OCTETS : _ID_OCTETS + _NONCE_OCTETS]
        rest = sealed[_ID_OCTETS + _NONCE_OCTETS :]
        # A key that is not known was made by another process since we looked, or there is none.
        cipher = self.data.get(key_id) or _read_anew().data.get(key_id)
        if cipher is None:
            raise Unreadable
        try:
            return cipher.decrypt(nonce, rest, _bound_to(ref, column)).decode()
        except (ValueError, InvalidTag) as error:
            raise Unreadable from error

    def digest(self, address: Address) -> bytes:
        """Recognise an address; without the key, nobody can tell whose digest it is."""
        return hmac.digest(self.digest_key, address.key.encode(), hashlib.sha256)


def _bound_to(ref: str, column: str) -> bytes:
    return f"{ref}:{column}".encode()


def prefix(key_id: int) -> bytes:
    """What every value begins with that a data key encrypted."""
    return key_id.to_bytes(_ID_OCTETS, "big")


def register(app: Flask) -> None:
    """Have the keyring read anew after the database was away: it may be back as a backup had it, without a key."""
    kept = ref(app)  # an engine that held its application would keep both for ever
    with app.app_context():
        event.listen(db.engine, "connect", lambda *_: _doubt(kept()))


def _doubt(app: Flask | None) -> None:
    """Have the keyring read anew before it is next used."""
    if app is None:
        return
    kept: Keyring | None = app.extensions.get("keyring")
    if kept is not None:
        app.extensions["keyring"] = replace(kept, read_at=_NEVER)


def current() -> Keyring:
    """The keyring of the application at work; raise Unavailable before `release` has made it."""
    kept: Keyring | None = current_app.extensions.get("keyring")
    # Whichever way the clock was set.
    if kept is not None and abs(clock.now() - kept.read_at) < READ_EVERY:
        return kept
    return _read_anew()


def signer() -> Ed25519PrivateKey:
    """The key to sign with; raise WrongDataKey where DATA_KEY does not open it.

    It is the newest from the moment it was made, in every process: what an earlier one signs from then on may be
    worth nothing.
    """
    ring = current()
    with database.apart() as session:
        is_newest = _version(_rows(session)) == ring.version
    return (ring if is_newest else _read_anew()).signing_key


def is_ours(key: str) -> bool:
    """Tell by its fingerprint whether a key signs for us or ever did; another process may just have made it."""
    return any(
        signing.fingerprint(known) == key
        for read in (current, _read_anew)
        for known in read().public_keys
    )


def check() -> None:
    """Recognise a wrong DATA_KEY early; raise WrongDataKey. A database that is away is not asked twice."""
    with suppress(Unavailable, SQLAlchemyError):
        current()


def lock(session: Session) -> None:
    """Let nobody else change the keyring until the transaction ends."""
    database.lock(session, b"keyring ")


def make_if_missing(session: Session) -> None:
    """Make the keys where there are none; raise WrongDataKey where there are some that DATA_KEY does not open.

    Raise LostKeyring where there were some: by new ones nobody could be read, and nobody's block be found.
    """
    there = _unwrapped(_rows(session))
    is_lost = not there[DATA] or not there[DIGEST]
    if is_lost and session.scalar(select(exists(select(Subscription.ref)))):
        raise LostKeyring
    for purpose in _NEEDED:
        if not there[purpose]:
            add(session, purpose)


def add(session: Session, purpose: str) -> None:
    """Make a random key for a purpose; from then on it is the newest."""
    wrapped = wrap(secrets.token_bytes(KEY_OCTETS), purpose, config.current().data_key)
    session.add(KeyringRow(purpose=purpose, wrapped=wrapped, created_at=clock.now()))


def _read_anew() -> Keyring:
    kept: Keyring | None = current_app.extensions.get("keyring")
    with database.apart() as session:
        rows = _rows(session)
    try:
        read = _open(rows)
    except WrongDataKey:
        # Wrapped anew by a DATA_KEY that this process was not started with, the keys are the same. But where
        # there is a newer one, nothing may be encrypted by the old, which is going to be taken away, nor signed.
        if kept is None or _version(rows) != kept.version:
            _doubt(current_app)
            raise
        log.warning("%s", LEFT_OUT)
        read = replace(kept, read_at=clock.now(), is_left_out=True)
    if read is None:
        raise Unavailable
    current_app.extensions["keyring"] = read
    return read


def _rows(session: Session) -> Sequence[KeyringRow]:
    return session.scalars(select(KeyringRow).order_by(KeyringRow.id)).all()


def _version(rows: Iterable[KeyringRow]) -> Version:
    return {row.purpose: (row.id, row.created_at) for row in rows if row.purpose in _NEEDED}


def _open(rows: Sequence[KeyringRow]) -> Keyring | None:
    now, keys = clock.now(), _unwrapped(rows)
    if not all(keys[purpose] for purpose in _NEEDED):
        return None
    signers = {id_: Ed25519PrivateKey.from_private_bytes(key) for id_, key in keys[SIGNING].items()}
    public = {id_: key.public_key() for id_, key in signers.items()}
    public |= {id_: Ed25519PublicKey.from_public_bytes(key) for id_, key in keys[VERIFYING].items()}
    return Keyring(
        {id_: AESGCM(key) for id_, key in keys[DATA].items()},
        digest_key=next(iter(keys[DIGEST].values())),
        signing_key=signers[max(signers)],
        public_keys=tuple(public[id_] for id_ in sorted(public, reverse=True)),
        version=_version(rows),
        read_at=now,
    )


def _unwrapped(rows: Iterable[KeyringRow]) -> dict[str, dict[int, bytes]]:
    """The keys of each purpose by their id; raise WrongDataKey."""
    data_keys = config.current().data_key
    keys: dict[str, dict[int, bytes]] = {purpose: {} for purpose in (*_NEEDED, VERIFYING)}
    for row in rows:
        if row.purpose in keys:
            keys[row.purpose][row.id] = unwrap(row.wrapped, row.purpose, data_keys).key
    return keys
