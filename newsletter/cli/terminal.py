"""Escapes control characters in the output of commands.

It repeats text from files and peers: a proof to be checked, Mailchimp, name servers. A control character in that text
could hide or forge a command's own lines.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

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


def bare() -> TextIO:
    """Standard output without escaping: for progress bars, which move the cursor and show no text of others."""
    stream = sys.stdout
    return stream._stream if isinstance(stream, _Escaping) else stream


def one_line(text: object) -> str:
    """A sentence that may contain text of others, on one line, with unprintable characters escaped."""
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}"
        for character in str(text)
    )


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
