"""What a field of a row may say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.subscriptions.importing import entry
from newsletter.subscriptions.importing.entry import LONGEST_TEXT, Refused, Why

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", None),
        (" ", None),
        ("2020-05-01", datetime(2020, 5, 1, tzinfo=UTC)),
        (" 2020-05-01 12:30:15 ", datetime(2020, 5, 1, 12, 30, 15, tzinfo=UTC)),
        ("2020-05-01T12:30:15Z", datetime(2020, 5, 1, 12, 30, 15, tzinfo=UTC)),
        ("2020-05-01T12:30:15+02:00", datetime(2020, 5, 1, 10, 30, 15, tzinfo=UTC)),
        ("01.05.2020", datetime(2020, 5, 1, tzinfo=UTC)),
        ("1.5.2020 12:30", datetime(2020, 5, 1, 12, 30, tzinfo=UTC)),
        ("01.05.2020 12:30:15", datetime(2020, 5, 1, 12, 30, 15, tzinfo=UTC)),
        ("1990-01-01", datetime(1990, 1, 1, tzinfo=UTC)),
        ("2026-03-01T12:00:00Z", NOW),
    ],
)
def test_a_time_is_read_in_utc_as_people_and_machines_write_it(
    written: str, read: datetime | None
) -> None:
    found = entry.moment(written, NOW)

    assert found == read
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    "written", ["yesterday", "05/01/2020", "1989-12-31", "2026-03-01T12:00:01Z", "2999-01-01"]
)
def test_a_time_that_cannot_be_is_refused(written: str) -> None:
    with pytest.raises(Refused) as refused:
        entry.moment(written, NOW)
    assert refused.value.why is Why.WRONG_TIME


def test_a_text_is_trimmed_and_not_too_long() -> None:
    longest = "x" * LONGEST_TEXT

    assert [entry.short(text) for text in ("", " ", " Messe ", f" {longest} ")] == [
        None,
        None,
        "Messe",
        longest,
    ]
    with pytest.raises(Refused) as refused:
        entry.short(f"{longest}x")
    assert refused.value.why is Why.TOO_LONG


@pytest.mark.parametrize(
    ("written", "read"),
    [("de", "de"), (" DE-at ", "de"), ("en_GB", "en"), ("English", "en"), ("fr", None), ("", None)],
)
def test_a_language_is_one_that_is_spoken_here(written: str, read: str | None) -> None:
    assert entry.language(written) == read
