"""What commands write, made harmless for the terminal that shows it.

Files and peers (a proof to be checked, Mailchimp, name servers) bring text that we repeat. A control character in it
could hide what we say, or say it in our name: on either stream none passes as it is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

#: All but tabs and line feeds, which our own texts have.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class _Harmless:
    """A text stream whose control characters are written as JSON writes them, so that a document stays the same."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        with suppress(AttributeError):
            # Half a surrogate pair in a file's text must not end a command.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]

    @property
    def buffer(self) -> None:
        """None: octets would pass beside us."""
        return

    def write(self, text: str) -> int:
        """Write a text; its length."""
        self._stream.write(_CONTROL.sub(_escaped, text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def harmless() -> Iterator[None]:
    """Let no control character pass to standard output or standard error."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Harmless(stream) if stream else stream for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def bare() -> TextIO:
    """Standard output as it is: for progress bars, which move the cursor and hold nothing of others."""
    stream = sys.stdout
    return stream._stream if isinstance(stream, _Harmless) else stream


def one_line(text: object) -> str:
    """A sentence that may hold words of others, on one line, without anything that is not printed."""
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}"
        for character in str(text)
    )


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
