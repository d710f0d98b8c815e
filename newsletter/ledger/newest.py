"""The newest checkpoint of a folder that is looked at every few seconds: read again only when that has changed."""

from __future__ import annotations

from pathlib import Path

from newsletter.ledger import checkpoints
from newsletter.ledger.checkpoints import Checkpoint


class Newest:
    """Remembers what was read of one folder, and as of when."""

    def __init__(self) -> None:
        self.checkpoint: Checkpoint | None = None  #: the newest that was ever seen
        self.is_empty = False  #: the last time, none was there
        self._read_of: tuple[int, int, int] | None = None

    def look(self, folder: Path) -> bool:
        """Read it again if the folder has changed, or is another; tell whether it was. Raise OSError."""
        there = folder.stat()
        seen = there.st_dev, there.st_ino, there.st_mtime_ns
        if seen == self._read_of and not self.is_empty:
            return False
        # The time is taken before: what comes meanwhile is read the next time.
        found = checkpoints.newest(folder)
        self._read_of, self.is_empty = seen, found is None
        # Where the folder is not mounted, an empty one stands in its place: that takes back nothing.
        self.checkpoint = found or self.checkpoint
        return True
