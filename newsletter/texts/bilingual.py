"""A text in both languages, for use outside a request."""

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
