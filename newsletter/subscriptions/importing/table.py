"""Reads a CSV file as spreadsheets and Mailchimp write it, row by row, with memory that does not grow with the file.

The encoding is told by the byte order mark, else it is UTF-8, else Windows-1252; the separator by the heading. The
whole file is read once before anything is taken from it: a broken one is refused with the number of its first wrong
row. Rows are counted as a spreadsheet does, so that the heading is row 1. No message repeats what the file says.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from newsletter.domain.errors import UnreadableFile

LONGEST_FIELD = 1024 * 1024  #: characters; an unclosed quote would swallow the rest of the file
_SEPARATORS = ",;\t"
_PIECE = 1024 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Row = dict[str, str]


@dataclass(frozen=True)
class Table:
    """A file whose every row can be read; `heading` has the columns' names as they are written."""

    file: BinaryIO
    name: str
    digest: str  #: SHA-256 of its contents
    encoding: str
    separator: str
    heading: tuple[str, ...]
    length: int  #: rows, with the heading

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each row that is not empty, with its number, by the names of its columns; the last of equal names counts."""
        with _text(self.file, self.encoding) as text:
            for number, fields in _records(text, self.separator):
                if number > 1 and any(fields):
                    yield number, dict(zip(self.heading, fields, strict=True))


def read(file: BinaryIO, name: str) -> Table:
    """Read a file to its end, and see that it is whole; raise UnreadableFile."""
    digest, encoding = _digest_and_encoding(file)
    with _text(file, encoding) as text:
        separator = _separator(text.readline(LONGEST_FIELD))
    with _text(file, encoding) as text:
        heading, length = _checked(text, separator)
    return Table(file, name, digest, encoding, separator, heading, length)


def _digest_and_encoding(file: BinaryIO) -> tuple[str, str]:
    file.seek(0)
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    first = piece = file.read(_PIECE)
    if not first.strip():
        raise UnreadableFile("The file is empty.")
    is_utf8 = True
    while piece:
        digest.update(piece)
        try:
            decoder.decode(piece)
        except UnicodeDecodeError:
            is_utf8 = False
        piece = file.read(_PIECE)
    return digest.hexdigest(), _encoding(first, is_utf8=is_utf8)


def _encoding(first: bytes, *, is_utf8: bool) -> str:
    for mark, encoding in _MARKS:
        if first.startswith(mark):
            return encoding
    # Without a mark, every other octet of a heading in ASCII tells UTF-16.
    if first[1:2] == b"\0":
        return "utf-16-le"
    if first[:1] == b"\0":
        return "utf-16-be"
    return "utf-8" if is_utf8 else "cp1252"


@contextmanager
def _text(file: BinaryIO, encoding: str) -> Iterator[TextIO]:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        yield text
    except UnicodeError:
        raise UnreadableFile(
            "The file is no text in UTF-8, UTF-16 or Windows-1252, or it is cut off."
        ) from None
    finally:
        text.detach()


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _checked(text: TextIO, separator: str) -> tuple[tuple[str, ...], int]:
    heading: Sequence[str] = ()
    number = 0
    for number, fields in _records(text, separator):
        if number == 1:
            heading = [name.strip() for name in fields]
        elif any(fields) and len(fields) != len(heading):
            raise UnreadableFile(
                "Row %(row)s does not have as many fields as the heading (%(fields)s, not %(heading)s): a quote or"
                " a separator is missing in it, or too many. Nothing was taken.",
                row=number,
                fields=len(fields),
                heading=len(heading),
            )
    return tuple(heading), number


def _records(text: TextIO, separator: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(text, delimiter=separator, strict=True)
    number = 0
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise _wrong(number + 1, error) from None
        if fields is None:
            return
        number += 1
        yield number, fields


def _wrong(number: int, error: csv.Error) -> UnreadableFile:
    if "limit" in str(error):
        return UnreadableFile(
            "Row %(row)s has a field of more than %(characters)s characters, or a quote that is not closed."
            " Nothing was taken.",
            row=number,
            characters=f"{LONGEST_FIELD:,}",
        )
    if "end of data" in str(error):
        return UnreadableFile(
            "Row %(row)s begins a quote that is not closed. Nothing was taken.", row=number
        )
    return UnreadableFile(
        "Row %(row)s has a quote in the wrong place, or is no text. Nothing was taken.", row=number
    )
