"""The output of commands: control characters are escaped, and a terminal shows progress.

Commands repeat text from files and peers: a proof to be checked, Mailchimp, name servers. A control character in that
text could hide or forge a command's own lines.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import click

#: All but tabs and line feeds, which our own texts contain.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class _Escaping:
    """A text stream that escapes control characters as JSON does, so that a JSON document keeps its meaning."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        with suppress(AttributeError):
            # A lone surrogate in a file's text must not end a command.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]

    @property
    def buffer(self) -> None:
        """None: octets would bypass the escaping."""
        return

    def write(self, text: str) -> int:
        """Write a text; return its length."""
        self._stream.write(_CONTROL.sub(_escape, text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def escaped() -> Iterator[None]:
    """Escape control characters on standard output and standard error."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Escaping(stream) if stream else stream for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def progress(label: str, *, is_shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, on a terminal only; what it yields is called with how many are done, and of how many."""
    if not (is_shown and sys.stdout.isatty()):
        yield lambda _done, _total: None
        return
    # A bar moves the cursor by control characters, and shows no text of others.
    bare = sys.stdout._stream if isinstance(sys.stdout, _Escaping) else sys.stdout
    with click.progressbar(length=1, label=label, file=bare) as bar:

        def advance(done: int, total: int) -> None:
            bar.length = max(1, total)
            bar.update(done - bar.pos)

        yield advance


def one_line(text: object) -> str:
    """A sentence that may contain text of others, on one line, with unprintable characters escaped."""
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}"
        for character in str(text)
    )


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
