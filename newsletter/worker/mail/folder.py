"""A folder instead of a mail server, on localhost only, to look at the e-mails."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from newsletter.domain import clock
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.texts.letters import Finished


class FolderPostbox:
    """Writes one .eml file for each letter, with a random name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, letter: Finished, may_finish: Callable[[], bool]) -> str:
        """Write one letter, completely or not at all, readable by the owner only; raise DeliveryFailure."""
        name = f"{clock.now():%Y%m%dT%H%M%S.%f}-{secrets.token_hex(8)}"
        unfinished = self._folder / f".{name}.part"
        self.probe()
        if not may_finish():
            raise DeliveryFailure(Meaning.RETRY_LATER, "lease_lost")
        try:
            _write_through(unfinished, letter.octets)
            unfinished.rename(self._folder / f"{name}.eml")
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            raise DeliveryFailure(Meaning.HOLD_ALL, "folder") from None
        return "file written"

    def probe(self) -> None:
        """Make the folder if there is none; raise DeliveryFailure where it cannot be written to."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise DeliveryFailure(Meaning.HOLD_ALL, "folder")

    def end_within(self, seconds: float) -> None:
        """Do nothing: writing a file does not wait."""

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _write_through(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
