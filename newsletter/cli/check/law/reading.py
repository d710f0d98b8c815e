"""A rendered page taken apart: tags, and the words that people read."""

from __future__ import annotations

from html.parser import HTMLParser


class Reader(HTMLParser):
    """The tags of a page with their attributes, its words, and the words of its forms."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = self.form = ""
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag; one that breaks a line separates words."""
        self.tags.append((tag, dict(attrs)))
        if tag in ("head", "style", "form"):
            self._within.append(tag)
        if tag not in ("a", "span", "b", "i", "em", "strong", "time"):
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        """Leave a head, style or form."""
        if tag in self._within:
            self._within.remove(tag)

    def handle_data(self, data: str) -> None:
        """Collect the words that are shown."""
        if "head" not in self._within and "style" not in self._within:
            self.text += data
            self.form += data if "form" in self._within else ""


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def squashed(text: str) -> str:
    """Replace line breaks and runs of blanks by one blank."""
    return " ".join(text.split())
