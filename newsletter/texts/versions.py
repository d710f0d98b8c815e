"""Versions of pages and e-mails: SHA-256 over their sources, so that a record can name what a person was shown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from flask import current_app
from jinja2 import Environment

from newsletter.config import Locale
from newsletter.storage.models import LetterKind
from newsletter.texts import brand, letters

_CATALOGUES = Path(__file__).parent / "translations"


def of_page(name: str, language: Locale) -> str:
    """The version of a page in one language: its templates, the catalogue, and the sentences that a brand replaces."""
    return _of_page(current_app.jinja_env, name, language)


def of_letter(kind: LetterKind, language: Locale) -> str:
    """The version of an e-mail in one language."""
    return _of_letter(current_app.jinja_env, kind, language)


# One application in a process, five of them in two languages.
@lru_cache(maxsize=10)
def _of_page(environment: Environment, name: str, language: Locale) -> str:
    catalogue = _CATALOGUES / language / "LC_MESSAGES" / "messages.mo"
    translated = {"messages.mo": catalogue.read_bytes()} if catalogue.is_file() else {}
    replaced = current_app.extensions[brand.REPLACED].get(language, {})
    own = {english: replaced[english].encode() for english in sorted(replaced)}
    return _hash(_sources(environment, name), translated, own)


@lru_cache(maxsize=6)
def _of_letter(environment: Environment, kind: LetterKind, language: Locale) -> str:
    return _hash(
        *(_sources(environment, letters.name_of(kind, language, part)) for part in letters.PARTS)
    )


def _sources(environment: Environment, name: str) -> dict[str, bytes]:
    return {each: text.encode() for each, text in brand.sources(environment, name).items()}


def _hash(*sources: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for each in sources:
        for name, source in each.items():
            digest.update(f"{name} {len(source)}\n".encode() + source)
    return digest.hexdigest()
