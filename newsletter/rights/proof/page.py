"""A proof as a page made to be printed: the same words as the signed document, in the reader's language."""

from __future__ import annotations

from typing import Any

from newsletter.rights import access_text
from newsletter.storage.keys import signing
from newsletter.storage.keys.signing import Document
from newsletter.texts import access_words

TEMPLATE = "pages/proof.html"
#: What its codes mean; the same words as in an access export.
WORDS = {"words": access_words, "detail": access_text.detail}


def values_of(document: Document, *, style: str | None = None) -> dict[str, Any]:
    """What the page is made of; `style` is put into the page itself, where nothing serves it."""
    fingerprint = signing.fingerprint(signing.verify(document))
    return {**WORDS, "proof": document, "fingerprint": fingerprint, "style": style}
