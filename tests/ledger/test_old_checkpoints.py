"""Checkpoints that are much older than the newest one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsletter.ledger import checkpoints, old_checkpoints
from tests.heads import put

OLD, BORDER, YOUNG, NEWEST = (
    "2026-02-28T23:59:59Z",
    "2026-03-01T00:00:00Z",
    "2028-01-01T00:00:00Z",
    "2029-03-01T00:00:00Z",
)


def test_those_of_more_than_three_years_before_the_newest_have_ended(tmp_path: Path) -> None:
    old = [put(tmp_path, 1, OLD), put(tmp_path, 20, OLD)]
    for position, at in enumerate((BORDER, YOUNG, NEWEST), start=100):
        put(tmp_path, position, at)

    assert old_checkpoints.find(tmp_path) == old
    assert old_checkpoints.how_many_stay(tmp_path) == 3


def test_the_newest_stays_however_old_it_is(tmp_path: Path) -> None:
    put(tmp_path, 1, OLD)

    assert old_checkpoints.find(tmp_path) == []


def test_the_time_of_the_file_tells_nothing(tmp_path: Path) -> None:
    old, young = put(tmp_path, 1, OLD), put(tmp_path, 2, YOUNG)
    put(tmp_path, 3, NEWEST)
    os.utime(tmp_path / young, (0, 0))

    assert old_checkpoints.find(tmp_path) == [old]


@pytest.mark.parametrize("text", ["{", "[]", '"at"', '{"at": "2020-01-01T00:00:00Z"}', "{}", "7"])
def test_what_cannot_be_read_stays_and_so_does_what_follows_it(tmp_path: Path, text: str) -> None:
    old = put(tmp_path, 1, OLD)
    (tmp_path / checkpoints.name_of(0, 2)).write_text(text, encoding="utf-8")
    for position, at in ((3, OLD), (4, NEWEST)):
        put(tmp_path, position, at)

    assert old_checkpoints.find(tmp_path) == [old]


def test_what_is_no_checkpoint_by_its_name_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "another.json").write_text("{}", encoding="utf-8")
    old = put(tmp_path, 2, OLD)
    put(tmp_path, 3, NEWEST)

    assert old_checkpoints.find(tmp_path) == [old]


def test_some_are_deleted_and_those_that_are_gone_already_do_no_harm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = put(tmp_path, 1, OLD)
    newest = put(tmp_path, 2, NEWEST)

    assert old_checkpoints.delete(tmp_path, [old, "gone.json"]) == 1
    assert [file.name for file in tmp_path.iterdir()] == [newest]
    assert "gone.json could not be deleted" in caplog.text


def test_without_a_folder_there_are_none(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "missing"):
        assert old_checkpoints.find(folder) == []
    assert old_checkpoints.delete(None, ["1.json"]) == 0
