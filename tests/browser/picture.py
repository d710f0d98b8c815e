"""A PNG of a few colours, as a page is, made small: a palette of 256 instead of three bytes for each pixel.

The format is W3C's "Portable Network Graphics": § 9 has the filters, § 11 the chunks.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB, _INDEXED = 2, 3
_COLOURS = 256
_AS_ABOVE = 2  #: the filter of a row that holds the differences to the one above

Colour = tuple[int, int, int]


def shrink(png: bytes) -> bytes:
    """The same picture with its 256 commonest colours, each other one drawn with the nearest; 8 bit RGB only."""
    header, packed = _read(png)
    width, height, depth, kind, *_, interlaced = struct.unpack(">IIBBBBB", header)
    if (depth, kind, interlaced) != (8, _RGB, 0):
        raise ValueError("a PNG of another kind than Chromium makes")
    rows = _rows(zlib.decompress(packed), width * 3)
    counted: Counter[Colour] = Counter()
    for row in rows:
        counted.update(_colours(row))
    palette = [colour for colour, _ in counted.most_common(_COLOURS)]
    numbers = {colour: number for number, colour in enumerate(palette)}
    for colour in counted.keys() - numbers.keys():
        numbers[colour] = numbers[min(palette, key=lambda each: _distance(each, colour))]
    pixels = b"".join(b"\0" + bytes(map(numbers.__getitem__, _colours(row))) for row in rows)
    return (
        _SIGNATURE
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _INDEXED, 0, 0, 0))
        + _chunk(b"PLTE", b"".join(bytes(colour) for colour in palette))
        + _chunk(b"IDAT", zlib.compress(pixels, 9))
        + _chunk(b"IEND", b"")
    )


def _colours(row: bytes) -> Iterator[Colour]:
    return zip(row[::3], row[1::3], row[2::3], strict=True)


def _distance(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _read(png: bytes) -> tuple[bytes, bytes]:
    """The header and the packed pixels."""
    header, packed, place = b"", b"", len(_SIGNATURE)
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        content = png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            header = content
        elif kind == b"IDAT":
            packed += content
        place += length + 12
    return header, packed


def _rows(filtered: bytes, length: int) -> list[bytes]:
    """The rows of pixels, so many bytes each, without their filters."""
    rows: list[bytes] = []
    above = bytes(length)
    for start in range(0, len(filtered), length + 1):
        row = bytearray(filtered[start + 1 : start + 1 + length])
        if filtered[start] == _AS_ABOVE and not any(row):
            row = bytearray(above)  # most rows of a page; a loop over them takes seconds
        else:
            _unfilter(filtered[start], row, above)
        above = bytes(row)
        rows.append(above)
    return rows


def _unfilter(kind: int, row: bytearray, above: bytes) -> None:
    if kind == 0:
        return
    for here, value in enumerate(row):
        left = row[here - 3] if here >= 3 else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = above[here]
        elif kind == 3:
            guess = (left + above[here]) // 2
        else:
            guess = _paeth(left, above[here], above[here - 3] if here >= 3 else 0)
        row[here] = (value + guess) & 255


def _paeth(left: int, above: int, corner: int) -> int:
    to_left, to_above = abs(above - corner), abs(left - corner)
    to_corner = abs(left + above - 2 * corner)
    if to_left <= to_above and to_left <= to_corner:
        return left
    return above if to_above <= to_corner else corner


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
