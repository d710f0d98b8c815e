"""Reading what was rendered: tags and words, as people and mail programs get them."""

from __future__ import annotations

from html.parser import HTMLParser


class Reader(HTMLParser):
    """Takes a page apart: its tags with their attributes, its words, and the words of its forms."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = self.form = ""
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag; what breaks a line parts words."""
        self.tags.append((tag, dict(attrs)))
        if tag in ("head", "style", "form"):
            self._within.append(tag)
        if tag not in ("a", "span", "b", "i", "em", "strong", "time"):
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        """Leave what was entered."""
        if tag in self._within:
            self._within.remove(tag)

    def handle_data(self, data: str) -> None:
        """Keep words that are shown."""
        if "head" not in self._within and "style" not in self._within:
            self.text += data
            self.form += data if "form" in self._within else ""


def read(page: str) -> Reader:
    """Take a page apart."""
    reader = Reader()
    reader.feed(page)
    return reader


def squashed(text: str) -> str:
    """Words with one blank between them, however the lines break."""
    return " ".join(text.split())
