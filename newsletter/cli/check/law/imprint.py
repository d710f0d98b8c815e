"""The identification of the sender (§ 5 DDG, § 35a GmbHG)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.cli.check.law.reading import squashed
from newsletter.texts import lint_words

_POSTCODE = re.compile(r"(?:^|,\s*|[|·]\s*)(?:[A-Z]{1,2}[- ])?\d{4,5}\s+[^\W\d]{2,}", re.MULTILINE)
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")


def imprint_problems(imprint: str, organisation: str) -> Iterator[str]:
    """What the imprint lacks."""
    if found := re.search(lint_words.PLACEHOLDER, imprint, re.IGNORECASE):
        yield f"still holds a placeholder (“{found[0]}”); replace it."
    if squashed(organisation) not in squashed(imprint):
        yield "does not name the firm; begin it with ORGANISATION, word for word."
    if not _POSTCODE.search(imprint):
        yield "names no address; add street, postcode and place."
    if not _EMAIL.search(imprint):
        yield "names no e-mail address; add one that is read."
    if re.search(lint_words.REGISTERED_FIRM, f"{organisation} {imprint}"):
        if not re.search(lint_words.REGISTER, imprint, re.IGNORECASE):
            yield "names no register; add its court and the number, such as Amtsgericht Musterstadt, HRB 12345."
        if not re.search(lint_words.REPRESENTATIVES, imprint, re.IGNORECASE):
            yield "does not say who represents the firm; add the managing directors or the board."
