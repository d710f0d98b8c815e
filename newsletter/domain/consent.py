"""What people agree to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ConsentText:
    """One consent text in one language, as shown word for word; `hash` is the SHA-256 of both, in hexadecimal."""

    hash: str
    language: Literal["de", "en"]
    text: str
