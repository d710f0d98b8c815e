"""Every notice has its words in German, too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.storage.notices import Code, Posted
from newsletter.texts.notice_words import words_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("code", Code)
def test_a_notice_says_the_same_in_both_languages(code: Code) -> None:
    posted = Posted(code, "", "the detail", NOW)
    english, german = (words_of(posted, locale) for locale in ("en", "de"))

    assert f"{english.wrong}{english.detail}{english.wrong_after}" == posted.sentence.wrong
    assert english.remedy == posted.sentence.remedy
    assert german.wrong + german.wrong_after != english.wrong + english.wrong_after
    assert (german.detail, german.remedy != "") == (english.detail, True)


def test_a_detail_that_was_written_in_english_is_marked_in_german_alone() -> None:
    posted = Posted(Code.LEDGER_WRONG, "", "Position 3: the seal is missing.", NOW)

    assert words_of(posted, "de").is_detail_english
    assert not words_of(posted, "en").is_detail_english


def test_settings_keep_their_names() -> None:
    assert words_of(Posted(Code.FILE_LATE, "", None, NOW), "de").about == "DATABASE_URL"
    assert words_of(Posted(Code.RETENTION_LATE, "", None, NOW), "de").about == "Löschfristen"
