"""Signed documents: what we show can be checked by an outsider, without a database and without us.

A document is JSON whose `signature` signs all the rest of it: Ed25519 (RFC 8032) over its canonical form (RFC 8785;
its keys are ASCII and it holds no fractions, for which sorted keys without blanks are that form).
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
# Made once: a million seals are made of it.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

Document = dict[str, Any]


def canonical(document: Mapping[str, Any]) -> bytes:
    """The octets that are signed and hashed (RFC 8785)."""
    return _CANONICAL(document).encode()


def sign(document: Document, key: Ed25519PrivateKey) -> Document:
    """The same document with a signature over all of it; any earlier signature gives way."""
    signed = {name: value for name, value in document.items() if name != "signature"}
    signature = {
        "algorithm": ALGORITHM,
        "public_key": _base64(public_octets(key.public_key())),
        "value": _base64(key.sign(canonical(signed))),
    }
    return {**signed, "signature": signature}


def verify(document: Mapping[str, Any]) -> Ed25519PublicKey:
    """The key that a document is signed by; raise WrongDocument where it was changed, or is not signed.

    Whose key that is, only its fingerprint, published elsewhere, tells.
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
    """What a public key is recognised by: SHA-256 over its 32 octets, in hexadecimal."""
    return hashlib.sha256(public_octets(key)).hexdigest()


def public_octets(key: Ed25519PublicKey) -> bytes:
    """A public key as its 32 octets."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_pem(key: Ed25519PublicKey) -> str:
    """A public key as others' tools read it (PEM, RFC 8410)."""
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
        # Base64 leaves bits unused: one changed bit must not pass.
        raise WrongDocument("Its signature cannot be read.")
    return octets
