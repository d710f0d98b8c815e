"""Mail merge: an e-mail is composed once for each text and minute, and what differs from person to person is filled in.

The result is what composing it anew would make, byte for byte. A template for which that does not hold, such as one
that shows seconds or the recipient, is composed anew for each person.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from typing import Any

from flask import current_app

from newsletter.config import Settings
from newsletter.texts import letters
from newsletter.texts.letters import Finished, LetterValues

_MOST_FORMS = 50
_IN_HEADERS = ("recipient", "message_id", "sent_at")
_SOFT_BREAK = b"=\r\n"  #: in quoted-printable, also within a value
_STAND_IN_SENT_AT = datetime(2000, 1, 1, tzinfo=UTC)
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
_SECRET = secrets.token_hex(16)  #: so that nobody can write a stand-in into an address

#: Constant octets, or a part of a field: its name, and where it begins and ends.
_Piece = bytes | tuple[str, int, int | None]


def finish(values: LetterValues, settings: Settings) -> Finished:
    """The same as `letters.finish`, faster."""
    forms = _forms_of(settings)
    stand_in = _stand_in_for(values)
    if stand_in not in forms:
        if len(forms) >= _MOST_FORMS:
            forms.clear()
        forms[stand_in] = _form_for(values, stand_in, settings)
    form = forms.get(stand_in)
    return letters.finish(values, settings) if form is None else form.filled(values)


class _Form:
    """An e-mail with gaps for the fields that differ from person to person."""

    def __init__(self, finished: Finished, stand_in: LetterValues) -> None:
        fields = _fields_of(stand_in)
        self._sender = finished.sender
        self._subject = _split(finished.subject.encode(), fields)
        self._text = _split(finished.text.encode(), fields)
        self._octets = _split(finished.octets, fields)

    @property
    def has_fields_in_headers_only(self) -> bool:
        """Recipient, Message-ID and date: in a text, lines would break by their length."""
        filled = [piece[0] for piece in self._octets if not isinstance(piece, bytes)]
        return sorted(name for name in filled if name in _IN_HEADERS) == sorted(_IN_HEADERS)

    def filled(self, values: LetterValues) -> Finished:
        """The e-mail to one person; raise UnsafeLetter."""
        fields = _fields_of(values)
        return Finished(
            sender=self._sender,
            recipient=values.recipient,
            subject=_join(self._subject, fields).decode(),
            text=_join(self._text, fields).decode(),
            octets=_join(self._octets, fields),
        )


@dataclass
class _Forms:
    """The forms that were made with these settings."""

    settings: Settings
    by_stand_in: dict[LetterValues, _Form | None] = field(default_factory=dict)


def _forms_of(settings: Settings) -> dict[LetterValues, _Form | None]:
    kept: _Forms | None = current_app.extensions.get("form letters")
    if kept is None or kept.settings is not settings:
        kept = current_app.extensions["form letters"] = _Forms(settings)
    return kept.by_stand_in


def _form_for(values: LetterValues, stand_in: LetterValues, settings: Settings) -> _Form | None:
    """A form, unless filling it in for this person makes anything else than composing the e-mail."""
    form = _Form(letters.finish(stand_in, settings), stand_in)
    is_exact = form.filled(values) == letters.finish(values, settings)
    return form if is_exact and form.has_fields_in_headers_only else None


def _stand_in_for(values: LetterValues) -> LetterValues:
    """The same values with stand-ins in all fields, equal for all letters that share a form."""
    changed: dict[str, Any] = {
        "recipient": f"{_digits('recipient')}@example.com",
        "message_id": f"<{_digits('message_id')}@example.com>",
        "sent_at": _STAND_IN_SENT_AT,
        "reference": _stand_in("reference", len(values.reference)),
    }
    for name, value in vars(values).items():
        if name in values.opening:
            start, slash, token = value.rpartition("/")
            changed[name] = start + slash + _stand_in(name, len(token))
        elif isinstance(value, datetime) and name != "sent_at":
            # No letter was written in the last microsecond of its minute.
            changed[name] = value.replace(second=59, microsecond=999_999)
    return replace(values, **changed)


@cache
def _stand_in(field: str, length: int) -> str:
    """A text that is found nowhere else. A template that breaks lines at hyphens breaks it if it can break a token."""
    pairs = re.findall("..", _digits(field).translate(_LETTERS))
    return "-".join(pairs * (length // len(pairs) + 1))[:length]


@cache
def _digits(field: str) -> str:
    return hashlib.sha256(f"{_SECRET} {field}".encode()).hexdigest()[:32]


def _fields_of(values: LetterValues) -> dict[str, bytes]:
    fields = {
        "recipient": values.recipient,
        "message_id": values.message_id,
        "sent_at": format_datetime(values.sent_at),
        "reference": values.reference,
        **{name: getattr(values, name).rpartition("/")[2] for name in values.opening},
    }
    return {name: value.encode() for name, value in fields.items()}


def _split(octets: bytes, fields: dict[str, bytes]) -> list[_Piece]:
    soft_break = b"(?:%s)?" % _SOFT_BREAK
    spelt = {
        name: soft_break.join(re.escape(value[at : at + 1]) for at in range(len(value)))
        for name, value in fields.items()
    }
    pattern = b"|".join(b"(?P<%s>%s)" % (name.encode(), each) for name, each in spelt.items())
    pieces: list[_Piece] = []
    end = 0
    for found in re.finditer(pattern, octets):
        pieces += octets[end : found.start()], *_parts(found)
        end = found.end()
    return [*pieces, octets[end:]]


def _parts(found: re.Match[bytes]) -> list[_Piece]:
    """The parts of a field between the soft breaks; the last one extends to its end."""
    assert found.lastgroup is not None  # noqa: S101 - tells mypy; every alternative has a name
    first, *others = found[0].split(_SOFT_BREAK)
    pieces: list[_Piece] = []
    start, part = 0, first
    for following in others:
        pieces += (found.lastgroup, start, start + len(part)), _SOFT_BREAK
        start, part = start + len(part), following
    return [*pieces, (found.lastgroup, start, None)]


def _join(pieces: list[_Piece], fields: dict[str, bytes]) -> bytes:
    return b"".join(
        [
            piece if isinstance(piece, bytes) else fields[piece[0]][piece[1] : piece[2]]
            for piece in pieces
        ]
    )
