"""Forms as web developers copy them from /embed, read as a browser reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"input", "link", "meta", "br"})


@dataclass
class Element:
    """One element, in the document's order: its attributes and all text within it."""

    name: str
    attributes: dict[str, str | None]
    within: list[Element]
    text: str = ""

    @property
    def words(self) -> str:
        """The text as it is shown: white space is one space."""
        return " ".join(self.text.split())


@dataclass
class Document(HTMLParser):
    """A piece of HTML."""

    html: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []
        self.feed(self.html)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), list(self._open))
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def named(self, *names: str) -> list[Element]:
        return [element for element in self.elements if element.name in names]

    def one(self, name: str, /, **attributes: str) -> Element:
        """The only element of a name that has these attributes."""
        (found,) = (
            element
            for element in self.named(name)
            if attributes.items() <= element.attributes.items()
        )
        return found

    def fields(self) -> dict[str, str]:
        """What a browser sends when nobody has typed anything."""
        return {
            str(each.attributes["name"]): each.attributes.get("value") or ""
            for each in self.named("input")
        }
