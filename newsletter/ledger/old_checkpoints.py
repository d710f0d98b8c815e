"""Checkpoints that are much older than the newest one: nobody needs them to check the ledger any more.

How old one is, it says itself: a file's own time is that of its last copy. Only the oldest are deleted, in order, since
one that is missing in the middle is a finding.
"""

from __future__ import annotations

import logging
from itertools import takewhile
from pathlib import Path

from newsletter.domain import periods
from newsletter.domain.errors import WrongDocument
from newsletter.ledger import checkpoints
from newsletter.ledger.checkpoints import Checkpoint

log = logging.getLogger(__name__)


def find(folder: Path | None) -> list[str]:
    """The names of those that ended, oldest first; none where one before them cannot be read."""
    try:
        newest = checkpoints.newest(folder) if folder is not None else None
    except OSError:
        log.warning("LEDGER_CHECKPOINTS cannot be read")
        return []
    if folder is None or newest is None:
        return []
    ended_before = periods.years_before(newest.at, periods.RUN_YEARS)
    read = (_read(folder / name) for name in checkpoints.names(folder))
    ended = takewhile(lambda one: one is not None and one.at < ended_before, read)
    return [one.name for one in ended if one is not None]


def how_many_stay(folder: Path | None) -> int:
    """How many are kept for now."""
    try:
        names = checkpoints.names(folder) if folder is not None else []
    except OSError:
        return 0
    return len(names) - len(find(folder))


def delete(folder: Path | None, names: list[str]) -> int:
    """Delete some by name, up to one that cannot be; how many were."""
    return 0 if folder is None else len(list(takewhile(_is_deleted, map(folder.joinpath, names))))


def _is_deleted(file: Path) -> bool:
    try:
        file.unlink()
    except OSError as error:
        log.warning("checkpoint %s could not be deleted: %s", file.name, error.strerror)
        return False
    return True


def _read(file: Path) -> Checkpoint | None:
    """What a file says; None where that cannot be read: then it is not ours to delete, nor what follows it."""
    try:
        return checkpoints.read(file)
    except (OSError, WrongDocument):
        return None
