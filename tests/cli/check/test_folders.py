"""Real folders and files that are written to; and a list of mounts in the kernel's format."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.cli.check import folders
from newsletter.config import Settings, load
from tests.conftest import COMPANY

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
40 22 0:35 /data {0} rw,relatime shared:9 - {1} nas.example.com:/data rw,vers=4.2
"""


def settings(**variables: str) -> Settings:
    return load({**COMPANY, **variables})


def found_for(path: Path, mounts: Path = folders.MOUNTS) -> list[str]:
    asked = settings(DATABASE_URL=f"sqlite:///{path}")
    return [finding.wrong for finding in folders.database_file(asked, mounts)]


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Path]:
    """A file that not even root can write to: a running program."""
    program = tmp_path / "program"
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([program, "60"]) as process:
        yield program
        process.kill()


def test_a_file_that_cannot_be_written_to_is_found(busy: Path) -> None:
    assert found_for(busy) == ["the SQLite file or its folder cannot be written to"]


def test_a_folder_that_takes_no_files_is_found() -> None:
    assert found_for(Path("/proc/newsletter.sqlite3")) == [
        "the SQLite file or its folder cannot be written to"
    ]


def test_the_check_leaves_no_file_behind(tmp_path: Path) -> None:
    assert found_for(tmp_path / "newsletter.sqlite3") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "is_found"),
    [("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("ext4", False), ("overlay", False)],
)
def test_a_file_on_a_network_file_system_is_found(
    tmp_path: Path, kind: str, is_found: bool
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(str(tmp_path).replace(" ", "\\040"), kind))

    assert bool(found_for(tmp_path / "newsletter.sqlite3", mounts)) is is_found


def test_a_folder_with_a_blank_in_its_name_is_recognised(tmp_path: Path) -> None:
    folder = tmp_path / "network drive"
    folder.mkdir()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(str(folder).replace(" ", "\\040"), "nfs"))

    assert folders.file_system_of(folder / "newsletter.sqlite3", mounts) == "nfs"
    assert folders.file_system_of(tmp_path, mounts) == "ext4"


def test_a_host_without_a_list_of_mounts_has_no_finding(tmp_path: Path) -> None:
    assert found_for(tmp_path / "newsletter.sqlite3", tmp_path / "nothing") == []


def test_the_mounts_of_this_host_are_read(tmp_path: Path) -> None:
    assert folders.file_system_of(Path("/proc/self")) == "proc"


def test_postgresql_has_no_file() -> None:
    asked = settings(DATABASE_URL="postgresql://127.0.0.1/newsletter")

    assert list(folders.database_file(asked)) == []


@pytest.mark.parametrize(("name", "is_found"), [("heads", False), ("file", True), ("away", True)])
def test_a_folder_for_checkpoints_takes_files(tmp_path: Path, name: str, is_found: bool) -> None:
    (tmp_path / "heads").mkdir()
    (tmp_path / "file").touch()

    found = list(folders.checkpoints(settings(LEDGER_CHECKPOINTS=str(tmp_path / name))))

    assert bool(found) is is_found


def test_without_a_folder_for_checkpoints_a_hint_names_the_consequence() -> None:
    [found] = folders.checkpoints(settings(LEDGER_CHECKPOINTS=""))

    assert found.is_hint
    assert "restored backup" in found.wrong
