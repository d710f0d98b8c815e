"""A visitor of the tour without JavaScript: reads the page's forms and presses their buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient


@dataclass
class Button:
    """A form's one button, and what it would send."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    is_next: bool = False


class Page(HTMLParser):
    """What is on a page, as a browser has it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.buttons: list[Button] = []
        self.texts: list[str] = []
        self._next_form = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a form apart."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            is_next = bool(self._next_form) and given.get("id") == self._next_form
            self.buttons.append(Button(given["action"], is_next=is_next))
        elif tag == "input":
            self.buttons[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and given.get("class") == "primary":
            self._next_form = given["form"]

    def handle_data(self, data: str) -> None:
        """Keep what can be read."""
        self.texts.append(data)

    def button(self, name: str) -> Button:
        """The button by its name."""
        return next(each for each in self.buttons if each.action == f"/tour/{name}")

    @property
    def looks_again(self) -> bool:
        """Tell whether the page loads itself anew."""
        return '<meta http-equiv="refresh"' in self.html

    @property
    def text(self) -> str:
        """What can be read, in one line."""
        return " ".join(" ".join(self.texts).split())

    @property
    def next(self) -> Button | None:
        """The button that is to be pressed next."""
        found = [button for button in self.buttons if button.is_next]
        assert len(found) == bool(self._next_form)
        return found[0] if found else None


def look(visitor: FlaskClient) -> Page:
    """The tour as it is now."""
    answer = visitor.get("/")
    assert answer.status_code == 200
    return Page(answer.text)


def press(visitor: FlaskClient, button: str, **fields: str) -> Page:
    """Press a button by name; the page that it leads back to."""
    answer = visitor.post(f"/tour/{button}", data=fields)
    assert (answer.status_code, answer.location) == (303, "/")
    return look(visitor)
