"""A letter's headers: written once, and read back before the letter leaves."""

from __future__ import annotations

import pytest

from newsletter.domain.address import Address
from newsletter.domain.errors import Meaning, UnsafeLetter
from newsletter.texts import headers

SENDER, RECIPIENT = "news@example.com", "ada@example.org"
LETTER = (
    b"From: =?utf-8?q?M=C3=BCller?=\r\n <news@example.com>\r\n"
    b"To: ada@example.org\r\n"
    b"Subject: Anmeldung\r\n"
    b"Message-ID: <1@example.com>\r\n"
    b"Date: Sun, 01 Mar 2026 23:00:00 +0000\r\n"
    b"\r\n"
    b"Guten Tag\r\n"
)


def test_a_letter_that_is_what_was_meant_may_leave() -> None:
    headers.verify(LETTER, sender=SENDER, recipient=RECIPIENT)


@pytest.mark.parametrize(
    ("before", "after", "header"),
    [
        (b"ada@example.org", b"eve@example.org", "To"),
        (b"ada@example.org", b"ada@example.org, eve@example.org", "To"),
        (b"ada@example.org", b"Ada <ada@example.org>", "To"),
        (b"ada@example.org", b"ada@example.org\r\n , eve@example.org", "To"),
        (b"<news@example.com>", b"<news@example.org>", "From"),
        (b"<news@example.com>", b"<x@example.com> <news@example.org>", "From"),
        (
            b"\r\nSubject",
            b"\r\nReply-To: x@example.com\r\nReply-To: y@example.com\r\nSubject",
            "header",
        ),
        (b"\r\nSubject", b"\r\nto: ada@example.org\r\nSubject", "header"),
        (b"\r\nSubject", b"\r\nNo header\r\nSubject", "header"),
        (b"\r\nSubject", b"\r\n \r\nSubject", "header"),
        (b"Subject: Anmeldung\r\n", b"", "header"),
        (b"\r\nSubject", b"\r\n\r\nSubject", "header"),
        (b"\r\nSubject", b"\nBcc: eve@example.org\r\nSubject", "line"),
        (b"Anmeldung", b"Anmeldung\rBcc: eve@example.org", "line"),
        (b"Guten Tag", b"Guten\nTag", "line"),
        (b"Guten Tag", b"Guten\x00Tag", "line"),
        (b"Guten Tag", "Grüß Gott".encode(), "line"),
        (b"Guten Tag", b"x" * 999, "line"),
        (b"\r\n\r\n", b"\r\n", "line"),
    ],
)
def test_any_other_letter_does_not_leave(before: bytes, after: bytes, header: str) -> None:
    with pytest.raises(UnsafeLetter, match=header):
        headers.verify(LETTER.replace(before, after), sender=SENDER, recipient=RECIPIENT)


@pytest.mark.parametrize("odd", ["=?utf-8?q?x?=@example.org", "ada@example.org>", "ä@example.org"])
def test_an_odd_recipient_is_refused_however_the_letter_names_it(odd: str) -> None:
    letter = LETTER.replace(b"ada@example.org", odd.encode())

    with pytest.raises(UnsafeLetter, match=r"To|line"):
        headers.verify(letter, sender=SENDER, recipient=odd)


@pytest.mark.parametrize(
    ("header", "meaning"),
    [("To", Meaning.GIVE_UP_ONE), ("From", Meaning.HOLD_ALL), ("line", Meaning.HOLD_ALL)],
)
def test_only_a_recipient_costs_a_letter(header: str, meaning: Meaning) -> None:
    assert UnsafeLetter(header).meaning is meaning


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Muster", '"Muster" <news@example.com>'),
        ('Muster, "Nord" \\ Co. (Ltd.)', '"Muster, \\"Nord\\" \\\\ Co. (Ltd.)" <news@example.com>'),
        ("=?utf-8?q?x?=", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?=\r\n <news@example.com>"),
        ("Größe", "=?utf-8?b?R3LDtsOfZQ==?=\r\n <news@example.com>"),
        ("", "news@example.com"),
    ],
)
def test_a_name_is_quoted_or_encoded_and_never_taken_for_anything_else(
    name: str, said: str
) -> None:
    header = headers.mailbox("From", Address.parse(SENDER), name)

    assert header.fold(policy=headers.POLICY) == f"From: {said}\r\n"
