"""Checkpoints that are much older than the newest one: nobody needs them to check the ledger any more.

How old one is, it says itself: a file's own time is that of its last copy. Its name tells its place among the others.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime
from pathlib import Path

from newsletter import retention

log = logging.getLogger(__name__)


def find(folder: Path | None) -> list[str]:
    """The names of those that ended, oldest first; none while the newest cannot be read."""
    files = _files(folder)
    newest = _made_at(files[-1]) if files else None
    if newest is None:
        return []
    ended_before = retention.years_before(newest, retention.RUN_YEARS)
    ended = []
    for file in files[:-1]:
        at = _made_at(file)
        if at is None:
            continue  # whatever it is, it is not ours to delete
        if at >= ended_before:
            break
        ended.append(file.name)
    return ended


def how_many_stay(folder: Path | None) -> int:
    """How many are kept for now."""
    return len(_files(folder)) - len(find(folder))


def delete(folder: Path | None, names: list[str]) -> int:
    """Delete some by name; how many could be."""
    return 0 if folder is None else sum(_is_deleted(folder / name) for name in names)


def _is_deleted(file: Path) -> bool:
    try:
        file.unlink()
    except OSError as error:
        log.warning("checkpoint %s could not be deleted: %s", file.name, error.strerror)
        return False
    return True


def _files(folder: Path | None) -> list[Path]:
    """All of them; their names are in the order in which they were made."""
    if folder is None:
        return []
    try:
        return sorted(folder.glob("*.json"), key=lambda file: file.name)
    except OSError:
        log.warning("LEDGER_CHECKPOINTS cannot be read")
        return []


def _made_at(file: Path) -> datetime | None:
    """When a checkpoint was made; None where a file is none, or cannot be read."""
    try:
        said = json.loads(file.read_bytes())
        if "position" not in said or "signature" not in said:
            return None
        at = datetime.fromisoformat(said["at"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return at if at.tzinfo is not None else None
