"""The parts of a proof that no row confirms, such as an e-mail's text: only the issuer's signature covers them."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.rights.proof.chain import bound_rows
from newsletter.rights.proof.schema import Consent, Letter, Record, Strict

#: Parts that are checked without rows.
_CHECKED = {"schema", "signature"}


def names_in(consent: Consent) -> list[str]:
    """The paths of all parts that are only signed, such as `rounds.letters.text`."""
    return sorted(set(_names(consent, "")) - _CHECKED)


def _names(part: Strict, place: str) -> Iterator[str]:
    # The fields of the schema are compared with the rows; extra ones are not.
    for name in part.model_extra or {}:
        yield place + name
    if isinstance(part, Record) and not bound_rows(part) and part.principal.email is not None:
        yield f"{place}principal.email"
    if isinstance(part, Letter):
        yield from (place + name for name in _free_in(part))
    for name in type(part).model_fields:
        value = getattr(part, name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, Strict):
                yield from _names(each, f"{place}{name}.")


def _free_in(letter: Letter) -> Iterator[str]:
    """An e-mail that is neither sent nor undeliverable has no row, nor has an error before it was sent."""
    if letter.failed_at is None and letter.error is not None:
        yield "error"
    if letter.failed_at is None and letter.sent_at is None:
        yield from ("kind", "template", "wording")
