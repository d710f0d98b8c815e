"""The audience outlives a run, and who is forgotten is not found in the file."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sandbox.mailchimp import StandIn, id_of
from sandbox.mailchimp.contacts import Forgotten
from tests.people import ADA, GRACE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mailchimp.json"


def test_the_next_run_knows_the_same_contacts(file: Path) -> None:
    first = StandIn(file=file)
    first.add(ADA, language="de")
    first.unsubscribes(ADA)

    second = StandIn(file=file)

    assert second.contacts == first.contacts
    assert second.in_compliance == {ADA.lower()}


def test_deleted_addresses_stay_deleted(file: Path) -> None:
    first = StandIn(file=file)
    first.add(ADA)
    first.is_deleted(ADA)

    assert ADA in StandIn(file=file).forgotten


def test_the_file_does_not_name_deleted_addresses(file: Path) -> None:
    standin = StandIn(file=file)
    standin.add(ADA)
    standin.unsubscribes(ADA)
    standin.is_deleted(ADA)

    text = file.read_text().lower()
    assert ADA.lower() not in text
    assert id_of(ADA) not in text


def test_only_the_owner_may_read_the_file(file: Path) -> None:
    StandIn(file=file).add(ADA)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    StandIn().add(ADA)

    assert list(tmp_path.iterdir()) == []


def test_deleted_addresses_are_a_set() -> None:
    forgotten = Forgotten()
    forgotten.add(ADA)
    forgotten.add(ADA.lower())

    assert forgotten == {ADA}
    assert forgotten != {GRACE}
    assert GRACE not in forgotten
    assert repr(forgotten) == "<1 forgotten>"


def test_an_address_that_comes_back_is_no_longer_deleted() -> None:
    forgotten = Forgotten()
    forgotten.add(ADA)
    forgotten.discard(ADA.upper())

    assert len(forgotten) == 0
