"""The keyring: the keys that encrypt personal data, recognise an address, and sign documents.

The keys are random, and stored in the database wrapped by DATA_KEY. The data key encrypts (AES-256-GCM,
NIST SP 800-38D; the associated data is the row's ref and the column, so that no ciphertext can be moved). The digest
key recognises an address (HMAC-SHA-256). The signing key signs documents (Ed25519, RFC 8032). rotation.py changes keys.

Each process caches the keyring for READ_EVERY, so that it soon uses a new data key of another process. It reads it
anew at once when a value has an unknown key, when it opens a connection to the database, and when a signing key is
newer than its own.
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

#: How old the cached keyring may be; rotation.py waits far longer before it deletes an old key.
READ_EVERY = timedelta(seconds=60)
DATA, DIGEST, SIGNING = "data", "digest", "signing"
VERIFYING = "verifying"  #: the public half of an earlier signing key
_NEEDED = (DATA, DIGEST, SIGNING)
_NONCE_OCTETS = 12
_ID_OCTETS = 4
_NEVER = datetime.min.replace(tzinfo=UTC)
#: The keyring was wrapped with another DATA_KEY, but the cached keys are still the newest.
STALE = (
    "DATA_KEY does not open the keyring any more: this process works until it ends; put the one that does into"
    " its list, and restart it"
)

#: The newest key of each purpose: its id, and when it was made, since ids are reused after a restored backup.
Version = dict[str, tuple[int, datetime]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
class Keyring:
    """The unwrapped keys; `data`: by their id, the newest of which encrypts."""

    data: dict[int, AESGCM]
    digest_key: bytes
    #: The newest when the keyring was read; `signer()` returns the newest now.
    signing_key: Ed25519PrivateKey
    #: Of the signing key and all earlier ones, the newest first.
    public_keys: tuple[Ed25519PublicKey, ...]
    version: Version
    read_at: datetime
    is_stale: bool = False  #: this process's DATA_KEY does not open it any more

    def encrypt(self, plain: str, *, ref: str, column: str) -> bytes:
        """Encrypt one value of one row: the key's id (4 octets), nonce (12), ciphertext and tag (16)."""
        key_id = max(self.data)
        nonce = secrets.token_bytes(_NONCE_OCTETS)
        sealed = self.data[key_id].encrypt(nonce, plain.encode(), _bound_to(ref, column))
        return prefix(key_id) + nonce + sealed

    def decrypt(self, sealed: bytes, *, ref: str, column: str) -> str:
        """Decrypt one value of one row; raise Unreadable where it is damaged, or of another row or column."""
        key_id = int.from_bytes(sealed[:_ID_OCTETS], "big")
        nonce = sealed[_ID_OCTETS : _ID_OCTETS + _NONCE_OCTETS]
        rest = sealed[_ID_OCTETS + _NONCE_OCTETS :]
        # Another process may have made the key since the keyring was read.
        cipher = self.data.get(key_id) or _read_anew().data.get(key_id)
        if cipher is None:
            raise Unreadable
        try:
            return cipher.decrypt(nonce, rest, _bound_to(ref, column)).decode()
        except (ValueError, InvalidTag) as error:
            raise Unreadable from error

    def digest(self, address: Address) -> bytes:
        """HMAC-SHA-256 of an address, 32 octets: nobody can compute it without the key."""
        return hmac.digest(self.digest_key, address.key.encode(), hashlib.sha256)


def _bound_to(ref: str, column: str) -> bytes:
    return f"{ref}:{column}".encode()


def prefix(key_id: int) -> bytes:
    """The first octets of every value that a data key encrypted."""
    return key_id.to_bytes(_ID_OCTETS, "big")


def register(app: Flask) -> None:
    """Read the keyring anew after each connection to the database: that may now be a backup, with other keys."""
    weakly = ref(app)  # the engine must not keep the application alive
    with app.app_context():
        event.listen(db.engine, "connect", lambda *_: _expire(weakly()))


def _expire(app: Flask | None) -> None:
    """Read the keyring anew at its next use."""
    if app is None:
        return
    cached: Keyring | None = app.extensions.get("keyring")
    if cached is not None:
        app.extensions["keyring"] = replace(cached, read_at=_NEVER)


def current() -> Keyring:
    """The keyring of the current application; raise Unavailable before `release` has made it."""
    cached: Keyring | None = current_app.extensions.get("keyring")
    # abs(): the clock may have been set back.
    if cached is not None and abs(clock.now() - cached.read_at) < READ_EVERY:
        return cached
    return _read_anew()


def signer() -> Ed25519PrivateKey:
    """The newest signing key, also if another process made it just now; raise WrongDataKey.

    A key may have been replaced because it was stolen: then later signatures by it prove nothing.
    """
    ring = current()
    with database.own_connection() as session:
        is_newest = _version(_rows(session)) == ring.version
    return (ring if is_newest else _read_anew()).signing_key


def is_ours(key: str) -> bool:
    """Whether a key, by its fingerprint, is our signing key or an earlier one."""
    return any(
        signing.fingerprint(known) == key
        for read in (current, _read_anew)  # another process may have made it just now
        for known in read().public_keys
    )


def check() -> None:
    """At the start of a process, raise WrongDataKey; do nothing where the database does not answer."""
    with suppress(Unavailable, SQLAlchemyError):
        current()


def lock(session: Session) -> None:
    """Lock the keyring against changes until the transaction ends."""
    database.lock(session, b"keyring ")


def make_if_missing(session: Session) -> None:
    """Make the missing keys. Raise WrongDataKey where DATA_KEY does not open those that exist.

    Raise LostKeyring where there are subscriptions: new keys would neither decrypt an address nor find a block.
    """
    keys = _unwrapped(_rows(session))
    is_lost = not keys[DATA] or not keys[DIGEST]
    if is_lost and session.scalar(select(exists(select(Subscription.ref)))):
        raise LostKeyring
    for purpose in _NEEDED:
        if not keys[purpose]:
            add(session, purpose)


def add(session: Session, purpose: str) -> None:
    """Make a random key for a purpose; it becomes the newest."""
    wrapped = wrap(secrets.token_bytes(KEY_OCTETS), purpose, config.current().data_key)
    session.add(KeyringRow(purpose=purpose, wrapped=wrapped, created_at=clock.now()))


def _read_anew() -> Keyring:
    cached: Keyring | None = current_app.extensions.get("keyring")
    with database.own_connection() as session:
        rows = _rows(session)
    try:
        read = _open(rows)
    except WrongDataKey:
        # Where the same keys were wrapped with another DATA_KEY, the cached ones are still right. Where there is a
        # newer key, this process must neither encrypt with the old one, which will be deleted, nor sign with it.
        if cached is None or _version(rows) != cached.version:
            _expire(current_app)
            raise
        log.warning("%s", STALE)
        read = replace(cached, read_at=clock.now(), is_stale=True)
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
