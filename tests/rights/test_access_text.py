"""The texts of an access export: every code has one, in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from newsletter.cli import application
from newsletter.domain import periods
from newsletter.domain.lifecycle import Event, MailchimpStatus, Reason, Status
from newsletter.rights import access_text, my_data
from newsletter.storage.models import LetterKind
from newsletter.subscriptions import reported
from newsletter.texts import access_words

TABLES: list[Mapping[str, access_words.Words]] = [
    *(access_words.STATUS, access_words.REASON, access_words.EVENT, access_words.PLACE),
    *(access_words.LETTER, access_words.LANGUAGE, access_words.LABEL, access_words.ACTOR),
]


@pytest.mark.parametrize(
    ("codes", "table"),
    [
        (set(Status) - {Status.UNKNOWN}, access_words.STATUS),
        (Reason, access_words.REASON),
        (Event, access_words.EVENT),
        (MailchimpStatus, access_words.PLACE),
        (LetterKind, access_words.LETTER),
        ({each.ACTOR for each in (application, reported, my_data, periods)}, access_words.ACTOR),
    ],
)
def test_every_code_has_its_words(
    codes: Iterable[str], table: Mapping[str, access_words.Words]
) -> None:
    assert [code for code in codes if code not in table] == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("unsubscribed", "abgemeldet"),
        ("my_data: 550", "Link zu den eigenen Daten: 550"),
        ("550", "550"),
    ],
)
def test_a_detail_with_our_codes_is_shown_in_words(code: str, told: str) -> None:
    assert access_text.detail(code, "de") == told


@pytest.mark.parametrize("table", TABLES)
def test_every_word_is_there_in_both_languages(table: Mapping[str, access_words.Words]) -> None:
    assert [code for code, told in table.items() if not (told["de"] and told["en"])] == []
