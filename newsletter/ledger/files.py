"""Files that are there whole or not at all, whoever is killed meanwhile, and even if the power fails."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: What a file system answers that has no links.
_WITHOUT_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)

#: Which file stands in a place, and since when.
Identity = tuple[int, int, int]


def identity(path: Path) -> Identity | None:
    """What tells one file in a place from the next; None where there is none. Raise OSError."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return None
    return there.st_dev, there.st_ino, there.st_mtime_ns


def put(file: Path, text: str) -> None:
    """Write a file for its owner alone; replace none. Raise FileExistsError where there is one."""
    with _written_beside(file, text) as temporary:
        _name(temporary, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def replace(file: Path, text: str, *, seen: Identity | None) -> None:
    """Write a file for its owner alone, in place of the one that was seen; raise FileExistsError where it is another.

    If the power fails, the one before may stand there again: whoever replaces it has to see to that.
    """
    with _written_beside(file, text) as temporary:
        # Late, since to write may take long. No lock: not every shared folder has them.
        if identity(file) != seen:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        temporary.replace(file)


@contextmanager
def _written_beside(file: Path, text: str) -> Iterator[Path]:
    descriptor, made = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".tmp")
    temporary = Path(made)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as writing:
            writing.write(text)
            writing.flush()
            os.fsync(writing.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _name(temporary: Path, file: Path) -> None:
    """Give a file its name, as a rename does that replaces nothing."""
    try:
        os.link(temporary, file)
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        # A folder of a kind that knows no links, such as some that are shared.
        if file.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        temporary.rename(file)
