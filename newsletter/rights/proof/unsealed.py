"""The parts of a proof that no row confirms, such as an e-mail's text: only the issuer's signature covers them."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.rights.proof.chain import bound_rows
from newsletter.rights.proof.schema import Consent, Letter, Record, Strict

#: Parts that are checked without rows.
_CHECKED = {"schema", "signature"}


def paths_in(consent: Consent) -> list[str]:
    """The paths of all parts that are only signed, such as `rounds.letters.text`."""
    return sorted(set(_paths(consent, "")) - _CHECKED)


def _paths(part: Strict, path: str) -> Iterator[str]:
    # The fields of the schema are compared with the rows; extra ones are not.
    for name in part.model_extra or {}:
        yield path + name
    if isinstance(part, Record) and not bound_rows(part) and part.principal.email is not None:
        yield f"{path}principal.email"
    if isinstance(part, Letter):
        yield from (path + name for name in _without_row(part))
    for name in type(part).model_fields:
        value = getattr(part, name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, Strict):
                yield from _paths(each, f"{path}{name}.")


def _without_row(letter: Letter) -> Iterator[str]:
    """An e-mail that is neither sent nor undeliverable has no row; an error has one only if it is undeliverable."""
    if letter.failed_at is None and letter.error is not None:
        yield "error"
    if letter.failed_at is None and letter.sent_at is None:
        yield from ("kind", "template", "wording")
