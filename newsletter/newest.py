"""The newest checkpoint of a folder that is looked at every few seconds: read again only when that has changed."""

from __future__ import annotations

from pathlib import Path

from newsletter import checkpoints
from newsletter.checkpoints import Checkpoint


class Newest:
    """Remembers what was read of one folder, and as of when."""

    def __init__(self) -> None:
        self.checkpoint: Checkpoint | None = None
        self._read_of: tuple[int, int, int] | None = None

    @property
    def is_known(self) -> bool:
        """Tell whether the folder could ever be read."""
        return self._read_of is not None

    def look(self, folder: Path) -> bool:
        """Read it again if the folder has changed, or is another; tell whether it was. Raise OSError."""
        there = folder.stat()
        seen = there.st_dev, there.st_ino, there.st_mtime_ns
        if seen == self._read_of:
            return False
        # The time is taken before: what comes meanwhile is read the next time.
        self.checkpoint = checkpoints.newest(folder)
        self._read_of = seen
        return True
