"""A text in both languages, and a table of the database with what each of its columns is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.config import Locale


@dataclass(frozen=True)
class Text:
    """One text in German and English."""

    de: str
    en: str

    def in_(self, locale: Locale) -> str:
        """The text in one language."""
        return self.en if locale == "en" else self.de


@dataclass(frozen=True)
class Table:
    """A table of the database: what its rows are, and what each column holds and why."""

    rows: Text
    columns: Mapping[str, Text]
