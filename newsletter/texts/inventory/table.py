"""The description of a database table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.texts.bilingual import Text


@dataclass(frozen=True)
class Table:
    """A database table: what its rows are, and what each column holds and why."""

    rows: Text
    columns: Mapping[str, Text]
