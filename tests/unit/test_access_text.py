"""The words of an access export: every code has them, and every text is there in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from newsletter import access_text, duties, heard, my_data, retention
from newsletter import access_words as words
from newsletter.cli import application
from newsletter.lifecycle import Event, Reason, Status, There
from newsletter.models import LetterKind

TABLES: list[Mapping[str, words.Words]] = [
    *(words.STATUS, words.REASON, words.EVENT, words.PLACE),
    *(words.LETTER, words.LANGUAGE, words.LABEL, words.ACTOR),
]


@pytest.mark.parametrize(
    ("codes", "table"),
    [
        (set(Status) - {Status.UNKNOWN}, words.STATUS),
        (Reason, words.REASON),
        (Event, words.EVENT),
        (There, words.PLACE),
        (LetterKind, words.LETTER),
        ({each.ACTOR for each in (application, heard, my_data, retention)}, words.ACTOR),
    ],
)
def test_every_code_has_its_words(codes: Iterable[str], table: Mapping[str, words.Words]) -> None:
    assert [code for code in codes if code not in table] == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("unsubscribed", "abgemeldet"),
        ("my_data: 550", "Link zu den eigenen Daten: 550"),
        ("550", "550"),
    ],
)
def test_a_detail_is_told_in_words_where_it_is_ours(code: str, told: str) -> None:
    assert access_text.detail(code, "de") == told


@pytest.mark.parametrize("table", TABLES)
def test_every_word_is_there_in_both_languages(table: Mapping[str, words.Words]) -> None:
    assert [code for code, told in table.items() if not (told["de"] and told["en"])] == []


def test_every_duty_is_there_in_both_languages() -> None:
    texts = {name: told for name, told in vars(duties).items() if isinstance(told, dict)}
    texts = {name: told for name, told in texts.items() if name.isupper() and name[0] == "_"}

    assert len(texts) > 5
    assert [name for name, told in texts.items() if told.keys() != {"de", "en"}] == []
    assert len(duties._RIGHTS["de"]) == len(duties._RIGHTS["en"])
    assert len(duties._RECIPIENTS["de"]) == len(duties._RECIPIENTS["en"])
