"""The identification of the sender (§ 5 DDG, § 35a GmbHG)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.cli.check.law.reading import squashed

_PLACEHOLDER = re.compile(
    r"\b(?:todo|tbd|fixme|x{3,}|lorem ipsum|platzhalter|placeholder|change[-_ ]?me)\b|[<>{}\[\]]|\.{3}|…",
    re.IGNORECASE,
)
_POSTCODE = re.compile(r"(?:^|,\s*|[|·]\s*)(?:[A-Z]{1,2}[- ])?\d{4,5}\s+[^\W\d]{2,}", re.MULTILINE)
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")
_REGISTERED = re.compile(
    r"(?<!\w)(?:g?GmbH|AG|UG|KG|KGaA|OHG|SE|eG|e\.\s?K\.|e\.\s?V\.|mbB|PartG)(?!\w)"
)
_REGISTER = re.compile(
    r"\b(?:HRB|HRA|VR|GnR|PR|FN|CHE)\W*\d|regist\w*(?:\W+\w+){0,4}?\W+\d", re.IGNORECASE
)
_DIRECTORS = re.compile(
    r"vertret|geschäftsführ|vorstand|inhaber|represent|director|board|managed|owner|partner",
    re.IGNORECASE,
)


def imprint_problems(imprint: str, organisation: str) -> Iterator[str]:
    """What the identification of the sender lacks."""
    if found := _PLACEHOLDER.search(imprint):
        yield f"still holds a placeholder (“{found[0]}”); write what is true in its place."
    if squashed(organisation) not in squashed(imprint):
        yield "does not name the firm; begin it with ORGANISATION, word for word."
    if not _POSTCODE.search(imprint):
        yield "names no address; add street, postcode and place."
    if not _EMAIL.search(imprint):
        yield "names no e-mail address; add one that is read."
    if _REGISTERED.search(f"{organisation} {imprint}"):
        if not _REGISTER.search(imprint):
            yield "names no register; add its court and the number, such as Amtsgericht Musterstadt, HRB 12345."
        if not _DIRECTORS.search(imprint):
            yield "does not say who represents the firm; add the managing directors or the board."
