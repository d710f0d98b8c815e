"""Descriptions of data, for the record of processing and the privacy notice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.texts.bilingual import Text


@dataclass(frozen=True)
class DataClass:
    """What a class of data is, how long it is kept, and why; the classes are in rights/data/.

    `columns`: whole tables, single columns, or the setting that names a place outside of the database.
    """

    name: str
    columns: tuple[str, ...]
    data: Text
    period: Text
    reason: Text
    is_personal: bool = True  #: a privacy notice has to name it


@dataclass(frozen=True)
class Table:
    """A database table: what its rows are, and what each column holds and why."""

    rows: Text
    columns: Mapping[str, Text]
