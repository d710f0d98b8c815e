"""What people agree to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ConsentText:
    """One consent text in one language, word for word; `hash`: SHA-256 of language and text, in hexadecimal."""

    hash: str
    language: Literal["de", "en"]
    text: str
