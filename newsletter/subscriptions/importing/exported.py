"""Reads what `newsletter export` writes: JSON lines, the first of which names the format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress, UnreadableFile
from newsletter.domain.lifecycle import Reason, Status
from newsletter.subscriptions.importing.entry import Entry, Refused, Why, language, moment
from newsletter.subscriptions.importing.formats import Format

FORMAT = "newsletter-export/1"
LONGEST_LINE = 1024 * 1024  #: octets
_BEGIN = b'{"format": "' + FORMAT.encode()
ORIGIN = "newsletter"
#: Those who are blocked for every mailing.
_OUT = frozenset({Status.BLOCKED, Status.RETURNING})


@dataclass(frozen=True)
class Lines:
    """A file whose every line can be read; it is used as a table is."""

    file: BinaryIO
    name: str
    digest: str
    length: int
    encoding: str = "utf-8"
    heading: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each person's line, with its number."""
        for number, line in _lines(self.file):
            if number > 1:
                yield number, json.loads(line)


def is_one(file: BinaryIO) -> bool:
    """Tell whether a file begins as an export does."""
    file.seek(0)
    return file.read(len(_BEGIN)) == _BEGIN


def read(file: BinaryIO, name: str) -> Lines:
    """Read a file to its end, and see that it is whole; raise UnreadableFile."""
    digest, number = hashlib.sha256(), 0
    for number, line in _lines(file):
        digest.update(line)
        _object(number, line)
    return Lines(file, name, digest.hexdigest(), number)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    file.seek(0)
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        yield number, line


def _object(number: int, line: bytes) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        read = json.loads(line)
        if isinstance(read, dict):
            return read
    raise UnreadableFile("Line %(row)s is no JSON object. Nothing was taken.", row=number)


def entry(line: dict[str, Any], now: datetime) -> Entry:
    """The person of a line; raise Refused."""
    try:
        address = Address.parse_leniently(line["email"])
        status = Status(line["status"])
        reason = Reason(line["reason"]) if status in _OUT else None
        evidence = line["evidence"]
        stated = {str(name): _plain(value) for name, value in (evidence or {}).items()}
        confirmed_at = moment(str(stated.get("confirmed_at") or ""), now)
        requested_at = moment(str(stated.get("requested_at") or ""), now)
        left_at = moment(line["left_at"] or "", now)
    except InvalidAddress:
        raise Refused(Why.NO_ADDRESS) from None
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Refused(Why.DAMAGED) from None
    if status is Status.PENDING:
        raise Refused(Why.PENDING)
    return Entry(
        address=address,
        origin=ORIGIN,
        reason=reason,
        left_at=left_at,
        kept_since=left_at,
        language=language(str(line.get("language"))),
        is_held=line.get("hold") is True,
        stated=stated if evidence else None,
        confirmed_at=confirmed_at,
        requested_at=requested_at,
    )


def _plain(value: object) -> str | int | None:
    """A value of evidence; raise TypeError for any other."""
    if isinstance(value, str | int) or value is None:
        return value
    raise TypeError


READING = Format(
    "An export of this service",
    ("email", "status", "reason", "language", "hold", "left_at", "evidence"),
    ("reference",),
    entry,
)
