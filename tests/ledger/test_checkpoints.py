"""The file of checkpoints: what a line contains, what proves it, and how torn and changed lines are treated."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import stat
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask

from newsletter.domain.errors import WrongDocument
from newsletter.ledger import checkpoints
from newsletter.ledger.checkpoints import NAME
from newsletter.storage.keys import keyring, signing
from tests.conftest import on_sqlite

pytestmark = on_sqlite

AT = "2026-03-01T12:00:00Z"


@pytest.fixture(autouse=True)
def at_work(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def document(position: int, **named: Any) -> dict[str, Any]:
    return {
        "position": position,
        "row_id": position,
        "seal": f"{position:064}",
        "at": AT,
        "erased": [],
        "restored": None,
        **named,
    }


def append(folder: Path, *positions: int) -> None:
    for position in positions:
        assert checkpoints.append(folder, document(position), after=checkpoints.last(folder))


def positions(folder: Path) -> list[int]:
    return [one.position for one in checkpoints.backwards(folder)][::-1]


def lines(folder: Path) -> list[bytes]:
    return (folder / NAME).read_bytes().splitlines()


def rewrite(folder: Path, written: list[bytes]) -> None:
    (folder / NAME).write_bytes(b"".join(line + b"\n" for line in written))


def test_each_line_is_signed_and_names_the_line_before_it(folder: Path) -> None:
    append(folder, 3, 7)
    first, second = (json.loads(line) for line in lines(folder))
    ours = signing.public_octets(keyring.current().signing_key.public_key())

    assert first["before"] is None
    assert second["before"] == hashlib.sha256(lines(folder)[0]).hexdigest()
    assert [signing.public_octets(signing.verify(one)) for one in (first, second)] == [ours, ours]


def test_a_line_is_read_as_it_was_written(folder: Path) -> None:
    erased = [{"reference": "r1", "keep_block": False}, {"reference": "r2", "keep_block": True}]
    restored = {"position": 2, "after": "d" * 64}
    checkpoints.append(folder, document(3, erased=erased, restored=restored), after=None)
    read = checkpoints.last(folder)

    assert read is not None
    assert (read.position, read.row_id, read.seal) == (3, 3, f"{3:064}")
    assert read.at == datetime.fromisoformat(AT)
    assert read.erased == (("r1", False), ("r2", True))
    assert (read.is_restored, read.restored_after) == (True, "d" * 64)


def test_only_the_owner_reads_the_file(folder: Path) -> None:
    append(folder, 1)

    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600


def test_an_empty_folder_holds_none_and_a_missing_one_is_an_error(folder: Path) -> None:
    assert checkpoints.last(folder) is None
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        checkpoints.last(folder)


def test_a_process_that_has_not_read_the_last_line_appends_nothing(folder: Path) -> None:
    append(folder, 1)
    seen = checkpoints.last(folder)
    append(folder, 2)

    assert not checkpoints.append(folder, document(3), after=seen)
    assert positions(folder) == [1, 2]


def test_of_two_processes_that_append_at_once_one_waits_and_appends_nothing(
    app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(folder, 1)
    seen, true, results = checkpoints.last(folder), os.fsync, list[bool]()

    def late() -> None:
        with app.app_context():
            results.append(checkpoints.append(folder, document(3), after=seen))

    waiting = threading.Thread(target=late)

    def meanwhile(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", true)
        waiting.start()
        true(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    assert checkpoints.append(folder, document(2), after=seen)
    waiting.join()

    assert results == [False]
    assert positions(folder) == [1, 2]


@pytest.mark.parametrize("left", [1, 40, -1])
def test_a_torn_line_is_skipped_and_the_next_append_ends_it(folder: Path, left: int) -> None:
    append(folder, 1, 2)
    whole = lines(folder)[1]
    (folder / NAME).write_bytes(lines(folder)[0] + b"\n" + whole[:left])
    torn = positions(folder)
    append(folder, 3)

    assert torn == [1]
    assert positions(folder) == [1, 3]


def test_a_file_that_ends_after_its_first_octet_is_continued(folder: Path) -> None:
    (folder / NAME).write_bytes(b"{")
    append(folder, 1)

    assert positions(folder) == [1]


def test_each_line_is_flushed_and_a_new_file_with_its_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    are_folders = list[bool]()

    def note(descriptor: int) -> None:
        are_folders.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))

    monkeypatch.setattr(os, "fsync", note)
    append(folder, 1, 2)

    assert are_folders == [False, True, False]


def test_a_line_that_lacks_only_its_line_feed_is_valid(folder: Path) -> None:
    append(folder, 1, 2)
    file = folder / NAME
    os.truncate(file, file.stat().st_size - 1)
    whole = positions(folder)
    append(folder, 3)

    assert whole == [1, 2]
    assert positions(folder) == [1, 2, 3]


def test_a_copy_taken_at_any_moment_can_be_read(folder: Path, tmp_path: Path) -> None:
    append(folder, 1, 2)
    octets, first = (folder / NAME).read_bytes(), len(lines(folder)[0])
    for length in range(0, len(octets) + 1, 7):
        (tmp_path / NAME).write_bytes(octets[:length])
        read = positions(tmp_path)
        whole = (length >= first) + (length >= len(octets) - 1)
        assert read == [1, 2][:whole]


def change(written: list[bytes]) -> list[bytes]:
    return [written[0], written[1].replace(b'"position":2', b'"position":9'), written[2]]


@pytest.mark.parametrize(
    "damage",
    [
        change,
        lambda written: [written[0], b"torn", written[2]],
        lambda written: [written[0], written[2]],
        lambda written: written[1:],
        lambda written: [written[1], written[0], written[2]],
        lambda written: [written[0], written[1], b"{}", written[2]],
        lambda written: [b"7", *written],
    ],
    ids=["changed", "torn", "deleted", "first deleted", "swapped", "inserted", "prepended"],
)
def test_a_change_to_earlier_lines_is_found(
    folder: Path, damage: Callable[[list[bytes]], list[bytes]]
) -> None:
    append(folder, 1, 2, 3)
    rewrite(folder, damage(lines(folder)))

    why = "does not name the line before it: lines were changed, inserted or deleted.$"
    with pytest.raises(WrongDocument, match=why):
        positions(folder)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{}", "^The last line is no checkpoint.$"),
        (b"[]", "^The last line is no checkpoint.$"),
        (b'{"kind":"newsletter ledger checkpoint"}', "not signed"),
    ],
)
def test_a_last_line_that_is_no_checkpoint_is_found(folder: Path, line: bytes, why: str) -> None:
    append(folder, 1)
    rewrite(folder, [*lines(folder), line])

    with pytest.raises(WrongDocument, match=why):
        checkpoints.last(folder)


def test_a_changed_last_line_is_found(folder: Path) -> None:
    append(folder, 1, 2)
    rewrite(folder, change([*lines(folder), b""])[:2])

    with pytest.raises(WrongDocument, match="signature does not fit"):
        checkpoints.last(folder)


def test_a_line_that_lacks_a_field_is_found(folder: Path) -> None:
    key = Ed25519PrivateKey.generate()
    rewrite(folder, [signing.canonical(signing.sign({"kind": checkpoints.KIND}, key))])

    with pytest.raises(WrongDocument, match="is no checkpoint"):
        checkpoints.last(folder)


def test_a_full_disk_is_an_error_and_the_next_append_ends_the_torn_line(folder: Path) -> None:
    append(folder, 1)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = (folder / NAME).stat().st_size + 50
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, usual[1]))
    try:
        with pytest.raises(OSError, match="No space left on device") as full:
            append(folder, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    append(folder, 3)

    assert full.value.errno == errno.ENOSPC
    assert positions(folder) == [1, 3]


@pytest.mark.parametrize("octets", [1, 100])
def test_lines_are_whole_wherever_a_chunk_ends(
    folder: Path, octets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(folder, 1, 2)
    monkeypatch.setattr(checkpoints, "_CHUNK_OCTETS", octets)

    assert positions(folder) == [1, 2]


def test_the_last_line_of_a_large_file_is_read_from_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(folder, 1)
    (folder / NAME).write_bytes(b"torn\n" * 1_000_000 + (folder / NAME).read_bytes())
    tracemalloc.start()
    read = checkpoints.last(folder)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert read is not None
    assert read.position == 1
    assert most < 2_000_000
