"""The classes of data are complete."""

from __future__ import annotations

import pytest

from newsletter.rights.retention import CLASSES
from newsletter.storage.models import Model


@pytest.mark.requires("R63")
def test_every_column_has_a_period_and_no_other_is_named() -> None:
    tables = Model.metadata.tables
    named = {name for data_class in CLASSES for name in data_class.columns if name.islower()}
    columns = {f"{table.name}.{column.name}" for table in tables.values() for column in table.c}
    covered = {column for column in columns if named & {column, column.partition(".")[0]}}

    assert columns - covered == set()
    assert named - columns - set(tables) == set()


def test_every_class_is_described_in_both_languages_and_listed_once() -> None:
    words = [
        text
        for it in CLASSES
        for part in (it.data, it.period, it.reason)
        for text in (part.de, part.en)
    ]

    assert all(text.strip() == text != "" for text in words)
    assert len({it.name for it in CLASSES}) == len(CLASSES)
