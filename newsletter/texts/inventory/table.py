"""A table of the database, with what each of its columns is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.texts.bilingual import Text


@dataclass(frozen=True)
class Table:
    """A table of the database: what its rows are, and what each column holds and why."""

    rows: Text
    columns: Mapping[str, Text]
