"""A signed document proves who signed it, and that it is unchanged."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain.errors import WrongDocument
from newsletter.storage.keys import signing

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
DOCUMENT = {"text": "Jürgen “liest”", "count": 3, "none": None, "list": [{"b": 1, "a": True}]}
SIGNED = signing.sign(DOCUMENT, KEY)


def test_a_signed_document_keeps_its_content_and_names_its_key() -> None:
    assert {name: SIGNED[name] for name in DOCUMENT} == DOCUMENT
    assert signing.verify(SIGNED) == KEY.public_key()


def test_the_order_of_its_fields_does_not_matter() -> None:
    turned = dict(reversed(json.loads(json.dumps(SIGNED)).items()))

    assert signing.verify(turned) == KEY.public_key()


def test_signing_anew_replaces_the_signature() -> None:
    assert signing.verify(signing.sign(SIGNED, OTHER_KEY)) == OTHER_KEY.public_key()


@given(st.data())
def test_a_document_with_a_changed_octet_is_refused(data: st.DataObject) -> None:
    text = signing.canonical(SIGNED)
    place = data.draw(st.integers(0, len(text) - 1))
    flipped = bytearray(text)
    flipped[place] ^= data.draw(st.integers(1, 255))

    try:
        document = json.loads(bytes(flipped))
    except ValueError:
        return
    if document == SIGNED:
        return
    with pytest.raises(WrongDocument):
        signing.verify(document if isinstance(document, dict) else {})


def without(name: str) -> dict[str, Any]:
    changed = copy.deepcopy(SIGNED)
    del changed["signature"][name]
    return changed


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT,
        {**SIGNED, "signature": None},
        {**SIGNED, "signature": {**SIGNED["signature"], "algorithm": "none"}},
        {**SIGNED, "signature": {**SIGNED["signature"], "value": 7}},
        {**SIGNED, "signature": {**SIGNED["signature"], "value": "?"}},
        {**SIGNED, "signature": {**SIGNED["signature"], "public_key": "AAAA"}},
        {**SIGNED, "signature": {**SIGNED["signature"], "more": 1}},
        {**SIGNED, "added": 1},
        without("value"),
        without("public_key"),
    ],
)
def test_an_incomplete_document_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(WrongDocument):
        signing.verify(document)


def test_another_key_has_another_fingerprint() -> None:
    ours, theirs = (signing.fingerprint(key.public_key()) for key in (KEY, OTHER_KEY))

    assert ours != theirs
    assert len(ours) == 64


def test_the_pem_is_the_public_key() -> None:
    read = load_pem_public_key(signing.public_pem(KEY.public_key()).encode())

    assert read == KEY.public_key()
    assert (
        base64.b64encode(signing.public_octets(KEY.public_key())).decode()
        == (SIGNED["signature"]["public_key"])
    )
