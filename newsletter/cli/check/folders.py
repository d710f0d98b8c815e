"""Folders of files that are written: whether they are writable, and on a disk of this host."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from newsletter.cli.check.finding import Finding
from newsletter.config import Settings

#: Network file systems, by the kernel's names. SQLite's locks and shared memory do not work on them
#: (https://www.sqlite.org/wal.html, https://www.sqlite.org/howtocorrupt.html § 2.1).
_REMOTE = frozenset(
    {"afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4"}
    | {"smb2", "smb3", "smbfs", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs"}
)
MOUNTS = Path("/proc/self/mountinfo")


def database_file(settings: Settings, mounts: Path = MOUNTS) -> Iterator[Finding]:
    """Why SQLite's file cannot be used; nothing on PostgreSQL."""
    url = make_url(settings.database_url)
    if url.drivername != "sqlite" or not url.database:
        return
    path = Path(url.database).absolute()
    if not _is_writable_file(path):
        yield Finding(
            "DATABASE_URL",
            "the SQLite file or its folder cannot be written to",
            "make both writable for the user that runs the processes, or name another place",
        )
    elif file_system_of(path, mounts) in _REMOTE:
        yield Finding(
            "DATABASE_URL",
            "the SQLite file is on a network file system, where it gets damaged",
            "move it to a disk of this host, or use PostgreSQL",
        )


def checkpoints(settings: Settings) -> Iterator[Finding]:
    """Why checkpoints cannot be written; a hint where there is no folder for them."""
    folder = settings.ledger_checkpoints
    if folder is None:
        yield Finding(
            "LEDGER_CHECKPOINTS",
            "is not set, so neither a restored backup nor a rewritten ledger can be recognised",
            "name a folder outside of the database's backups",
            is_hint=True,
        )
    elif not _is_writable_folder(folder):
        yield Finding(
            "LEDGER_CHECKPOINTS",
            "is not a writable folder",
            "create it, writable for the user that runs the worker",
        )


def _is_writable_file(file: Path) -> bool:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            file.open("r+b").close()
    except OSError:
        return False
    return _is_writable_folder(file.parent)


def _is_writable_folder(folder: Path) -> bool:
    try:
        # Permission bits are wrong for root, on full disks and on read-only mounts.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def file_system_of(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The kernel's name for the file system of a path (proc_pid_mountinfo(5)); None: unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found = [_mount_in(line) for line in lines if " - " in line]
    real = path.resolve()
    around = [(point, kind) for point, kind in found if real.is_relative_to(point)]
    # The last mount at a point hides the earlier ones.
    return max(reversed(around), key=lambda mount: len(mount[0].parts), default=(None, None))[1]


def _mount_in(line: str) -> tuple[Path, str]:
    before, _, after = line.partition(" - ")
    point = before.split(" ")[4].encode().decode("unicode_escape")  # a blank is \040
    return Path(point), after.split(" ")[0]
