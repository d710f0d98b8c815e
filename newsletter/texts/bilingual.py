"""A text in both languages, for what has no request: the tables that data protection officers read."""

from __future__ import annotations

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
