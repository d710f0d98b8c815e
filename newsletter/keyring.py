"""The keys that personal data is encrypted and recognised with.

Three random keys lie in the database, wrapped by DATA_KEY, which lies outside it: the data key encrypts (AES-256-GCM,
NIST SP 800-38D, with the row's ref and the column as associated data, so that no ciphertext can be moved), the
digest key recognises an address (HMAC-SHA-256), the signing key signs what we show (Ed25519, RFC 8032). A new DATA_KEY
wraps them anew and leaves them as they are.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from newsletter import clock, config
from newsletter.address import Address
from newsletter.database import apart
from newsletter.errors import Unavailable, Unreadable, WrongDataKey
from newsletter.models import Keyring as KeyringRow

_KEY_OCTETS = 32
_NONCE_OCTETS = 12
_ID_OCTETS = 4
_PURPOSES = ("data", "digest", "signing")


@dataclass(frozen=True, repr=False)
class Keyring:
    """The keys, unwrapped: `data` by their id (the newest encrypts), the one that makes digests, the one that signs."""

    data: dict[int, AESGCM]
    digest_key: bytes
    signing_key: Ed25519PrivateKey

    def encrypt(self, plain: str, *, ref: str, column: str) -> bytes:
        """Encrypt one value of one row; the result names its key."""
        key_id = max(self.data)
        nonce = secrets.token_bytes(_NONCE_OCTETS)
        sealed = self.data[key_id].encrypt(nonce, plain.encode(), _bound_to(ref, column))
        return key_id.to_bytes(_ID_OCTETS, "big") + nonce + sealed

    def decrypt(self, sealed: bytes, *, ref: str, column: str) -> str:
        """Decrypt one value of one row; raise Unreadable where it belongs to another row or column."""
        key_id = int.from_bytes(sealed[:_ID_OCTETS], "big")
        nonce = sealed[_ID_OCTETS : _ID_OCTETS + _NONCE_OCTETS]
        rest = sealed[_ID_OCTETS + _NONCE_OCTETS :]
        try:
            return self.data[key_id].decrypt(nonce, rest, _bound_to(ref, column)).decode()
        except (KeyError, ValueError, InvalidTag) as error:
            raise Unreadable from error

    def digest(self, address: Address) -> bytes:
        """Recognise an address; without the key, nobody can tell whose digest it is."""
        return hmac.digest(self.digest_key, address.key.encode(), hashlib.sha256)


def _bound_to(ref: str, column: str) -> bytes:
    return f"{ref}:{column}".encode()


def current() -> Keyring:
    """The keyring of the application at work, read once; raise Unavailable before `release` has made it."""
    kept: Keyring | None = current_app.extensions.get("keyring")
    if kept is None:
        with apart() as session:
            kept = _open(session, config.current().data_key)
        if kept is None:
            raise Unavailable
        current_app.extensions["keyring"] = kept
    return kept


def check() -> None:
    """Recognise a wrong DATA_KEY early; raise WrongDataKey. A database that is away is not asked twice."""
    with suppress(Unavailable, SQLAlchemyError):
        current()


def make_if_missing(session: Session) -> None:
    """Make the keys where there are none; raise WrongDataKey where there are some that DATA_KEY does not open."""
    data_keys = config.current().data_key
    there = _unwrapped(session, data_keys)
    for purpose in _PURPOSES:
        if not there[purpose]:
            wrapped = _wrap(secrets.token_bytes(_KEY_OCTETS), purpose, data_keys[0])
            session.add(KeyringRow(purpose=purpose, wrapped=wrapped, created_at=clock.now()))


def _open(session: Session, data_keys: Iterable[SecretStr]) -> Keyring | None:
    keys = _unwrapped(session, data_keys)
    if not all(keys.values()):
        return None
    return Keyring(
        {key_id: AESGCM(key) for key_id, key in keys["data"].items()},
        digest_key=next(iter(keys["digest"].values())),
        signing_key=Ed25519PrivateKey.from_private_bytes(next(iter(keys["signing"].values()))),
    )


def _unwrapped(session: Session, data_keys: Iterable[SecretStr]) -> dict[str, dict[int, bytes]]:
    """The keys of each purpose by their id; raise WrongDataKey."""
    keys: dict[str, dict[int, bytes]] = {purpose: {} for purpose in _PURPOSES}
    for row in session.scalars(select(KeyringRow).order_by(KeyringRow.id)):
        if row.purpose in keys:
            keys[row.purpose][row.id] = _unwrap(row, data_keys)
    return keys


def _wrapping_key(data_key: SecretStr) -> AESGCM:
    derive = HKDF(algorithm=SHA256(), length=_KEY_OCTETS, salt=None, info=b"newsletter keyring")
    return AESGCM(derive.derive(data_key.get_secret_value().encode()))


def _wrap(key: bytes, purpose: str, data_key: SecretStr) -> bytes:
    nonce = secrets.token_bytes(_NONCE_OCTETS)
    return nonce + _wrapping_key(data_key).encrypt(nonce, key, purpose.encode())


def _unwrap(row: KeyringRow, data_keys: Iterable[SecretStr]) -> bytes:
    nonce, wrapped = row.wrapped[:_NONCE_OCTETS], row.wrapped[_NONCE_OCTETS:]
    for data_key in data_keys:
        try:
            return _wrapping_key(data_key).decrypt(nonce, wrapped, row.purpose.encode())
        except InvalidTag:
            continue
    raise WrongDataKey
