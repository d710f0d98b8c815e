"""Files as spreadsheets write them, and as nobody should."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pytest

from newsletter.domain.errors import UnreadableFile
from newsletter.subscriptions.importing import table
from newsletter.subscriptions.importing.table import LONGEST_FIELD, Table

UNEVEN = (
    "does not have as many fields as the heading (%s, not 2): a quote or a separator is missing in it, or too many."
    " Nothing was taken."
)
UNREADABLE = "The file is no text in UTF-8, UTF-16 or Windows-1252, or it is cut off."


def read(content: str | bytes, encoding: str = "utf-8") -> Table:
    octets = content.encode(encoding) if isinstance(content, str) else content
    return table.read(BytesIO(octets), "list.csv")


def refusal(content: str | bytes) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    return str(refused.value)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("written_as", "read_as"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_a_file_is_read_as_a_spreadsheet_writes_it(
    written_as: str, read_as: str, separator: str, line_end: str
) -> None:
    lines = ["email, source ", 'a,"Köln, „Messe“\r\nHalle 4"', ",", "b,", ""]
    swapped = str.maketrans({",": separator, separator: ","})
    content = line_end.join(lines).translate(swapped)

    found = read(content, written_as)

    source = "Köln, „Messe“\r\nHalle 4".translate(swapped)
    assert (found.encoding, found.separator, found.name) == (read_as, separator, "list.csv")
    assert (found.heading, found.length) == (("email", "source"), 4)
    assert found.digest == hashlib.sha256(content.encode(written_as)).hexdigest()
    for _ in "once", "again":
        assert list(found.rows()) == [
            (2, {"email": "a", "source": source}),
            (4, {"email": "b", "source": ""}),
        ]


def test_utf_16_of_the_other_order_is_told_by_its_mark() -> None:
    assert read("\ufeffemail,source\na,ü\n", "utf-16-be").encoding == "utf-16"


def test_a_file_of_nothing_but_its_mark_has_no_heading() -> None:
    found = read("", "utf-8-sig")

    assert (found.heading, found.length) == ((), 0)


def test_a_character_that_two_pieces_share_is_still_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_PIECE", 5)

    assert read("email\nüü\n").encoding == "utf-8"
    assert read("email\nabcü\nab", "cp1252").encoding == "cp1252"


def test_the_separator_is_the_most_frequent_one_of_the_heading() -> None:
    assert read("a;b;c,d\n1;2;3,,,\n").heading == ("a", "b", "c,d")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "The file is empty."),
        (b" \r\n ", "The file is empty."),
        ("a,b\n1,2\n3\n", f"Row 3 {UNEVEN % 1}"),
        ("a,b\n1,2,3\n", f"Row 2 {UNEVEN % 3}"),
        ('a,b\n1,"2', "Row 2 begins a quote that is not closed. Nothing was taken."),
        (
            'a,b\n1,2\n1,"2"2\n',
            "Row 3 has a quote in the wrong place, or is no text. Nothing was taken.",
        ),
        (
            f"a,b\n1,{'x' * (LONGEST_FIELD + 1)}\n",
            "Row 2 has a field of more than 1,048,576 characters, or a quote that is not closed."
            " Nothing was taken.",
        ),
        (b"\xff\xfea\0,\0b\0\n\0\x00\xd8", UNREADABLE),
        (b"a,b\n1,\x81\n", UNREADABLE),
    ],
)
def test_a_broken_file_is_refused_by_the_number_of_its_row(content: str | bytes, why: str) -> None:
    assert refusal(content) == why


def test_a_field_may_be_as_long_as_the_limit() -> None:
    [(_, row)] = read(f"a,b\n1,{'x' * LONGEST_FIELD}\n").rows()

    assert len(row["b"]) == LONGEST_FIELD
