"""What a proof tells and no row bears out, such as a letter's text: the issuer's signature alone stands for it."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.rights.proof.chain import bound_rows
from newsletter.rights.proof.schema import Consent, Letter, Record, Strict

#: What a check looks at without the rows.
_LOOKED_AT = {"schema", "signature"}


def names_in(consent: Consent) -> list[str]:
    """The names of all that is only signed, such as `rounds.letters.text`."""
    return sorted(set(_names(consent, "")) - _LOOKED_AT)


def _names(part: Strict, place: str) -> Iterator[str]:
    # The shape names what is compared with the rows.
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
    """Of a letter that was neither sent nor given up, no row tells; nor of what came before it was sent."""
    if letter.failed_at is None and letter.error is not None:
        yield "error"
    if letter.failed_at is None and letter.sent_at is None:
        yield from ("kind", "wording")
