"""A proof as a page made to be printed: the same words as the signed document, in the reader's language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import render_template

from newsletter import access_text, access_words, samples, signing
from newsletter.config import Settings
from newsletter.signing import Document

TEMPLATE = "pages/proof.html"
#: What its codes mean; the same words as in an access export.
WORDS = {"words": access_words, "detail": access_text.detail}
_STYLE = Path(__file__).parent / "static" / "newsletter.css"


def values_of(document: Document, *, style: str | None = None) -> dict[str, Any]:
    """What the page is made of; `style` is put into the page itself, where nothing serves it."""
    fingerprint = signing.fingerprint(signing.verify(document))
    return {**WORDS, "proof": document, "fingerprint": fingerprint, "style": style}


def as_file(document: Document, settings: Settings) -> str:
    """The page as one file that needs no server, in the language of the consent."""
    app = samples.showroom(settings)
    values = values_of(document, style=_STYLE.read_text("utf-8"))
    with app.test_request_context(query_string={"locale": document["language"]}):
        return render_template(TEMPLATE, **values)
