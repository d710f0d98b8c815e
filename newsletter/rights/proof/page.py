"""A proof as a page to print, in the reader's language."""

from __future__ import annotations

from typing import Any

from newsletter.rights import access_text
from newsletter.storage.keys import signing
from newsletter.storage.keys.signing import Document
from newsletter.texts import access_words

TEMPLATE = "pages/proof.html"
#: The texts of its codes, as in an access export.
WORDS = {
    "words": access_words,
    "detail": access_text.detail,
    "takeover_lines": access_text.takeover_lines,
}


def values_of(document: Document, *, style: str | None = None) -> dict[str, Any]:
    """The template's values; `style` is CSS for a page that is not served by us."""
    fingerprint = signing.fingerprint(signing.verify(document))
    return {**WORDS, "proof": document, "fingerprint": fingerprint, "style": style}
