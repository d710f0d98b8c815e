"""Wraps a key of the keyring with DATA_KEY: AES-256-GCM, with the key's purpose as associated data.

The first DATA_KEY of the list wraps; any of the list unwraps.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from newsletter.domain.errors import WrongDataKey

KEY_OCTETS = 32
_NONCE_OCTETS = 12


@dataclass(frozen=True, repr=False)
class Opened:
    """An unwrapped key."""

    key: bytes
    place: int  #: which DATA_KEY of the list unwrapped it, from 0


def wrap(key: bytes, purpose: str, data_keys: Sequence[SecretStr]) -> bytes:
    """Wrap a key with the newest DATA_KEY."""
    nonce = secrets.token_bytes(_NONCE_OCTETS)
    return nonce + _wrapping(data_keys[0]).encrypt(nonce, key, purpose.encode())


def unwrap(wrapped: bytes, purpose: str, data_keys: Sequence[SecretStr]) -> Opened:
    """Raise WrongDataKey where no DATA_KEY fits."""
    nonce, sealed = wrapped[:_NONCE_OCTETS], wrapped[_NONCE_OCTETS:]
    for place, data_key in enumerate(data_keys):
        try:
            return Opened(_wrapping(data_key).decrypt(nonce, sealed, purpose.encode()), place)
        except InvalidTag:
            continue
    raise WrongDataKey


def _wrapping(data_key: SecretStr) -> AESGCM:
    derive = HKDF(algorithm=SHA256(), length=KEY_OCTETS, salt=None, info=b"newsletter keyring")
    return AESGCM(derive.derive(data_key.get_secret_value().encode()))
