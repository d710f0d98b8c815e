"""Signed documents, which an outsider can verify without the database.

A document is JSON whose `signature` covers all the rest: Ed25519 (RFC 8032) over the canonical form (RFC 8785). Keys
are ASCII and numbers are integers: for such JSON, sorted keys without blanks are the canonical form.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.domain.errors import WrongDocument

ALGORITHM = "Ed25519"
_FIELDS = frozenset({"algorithm", "public_key", "value"})
# One encoder: a verification of the ledger calls it for every row.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

Document = dict[str, Any]


def canonical(document: Mapping[str, Any]) -> bytes:
    """The canonical form (RFC 8785), which is signed and hashed."""
    return _CANONICAL(document).encode()


def sign(document: Document, key: Ed25519PrivateKey) -> Document:
    """The document with a signature, which replaces an earlier one."""
    signed = {name: value for name, value in document.items() if name != "signature"}
    signature = {
        "algorithm": ALGORITHM,
        "public_key": _base64(public_octets(key.public_key())),
        "value": _base64(key.sign(canonical(signed))),
    }
    return {**signed, "signature": signature}


def verify(document: Mapping[str, Any]) -> Ed25519PublicKey:
    """The key that signed a document; raise WrongDocument where it was changed, or is not signed.

    The caller compares the key's fingerprint with a published one, since anybody can sign with a key of their own.
    """
    signature = document.get("signature")
    if not isinstance(signature, dict) or signature.keys() != _FIELDS:
        raise WrongDocument("It is not signed.")
    if signature["algorithm"] != ALGORITHM:
        raise WrongDocument(f"It is not signed by {ALGORITHM}.")
    signed = {name: value for name, value in document.items() if name != "signature"}
    try:
        key = Ed25519PublicKey.from_public_bytes(_octets(signature["public_key"]))
        key.verify(_octets(signature["value"]), canonical(signed))
    except (InvalidSignature, ValueError) as error:
        raise WrongDocument("Its signature does not fit what it says.") from error
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 over a public key's 32 octets, in hexadecimal."""
    return hashlib.sha256(public_octets(key)).hexdigest()


def public_octets(key: Ed25519PublicKey) -> bytes:
    """A public key as 32 octets."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_pem(key: Ed25519PublicKey) -> str:
    """A public key as PEM (RFC 8410)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _octets(text: object) -> bytes:
    if not isinstance(text, str):
        raise WrongDocument("Its signature cannot be read.")
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WrongDocument("Its signature cannot be read.") from error
    if _base64(octets) != text:
        # The last character of Base64 has unused bits: a change of those must not pass.
        raise WrongDocument("Its signature cannot be read.")
    return octets
