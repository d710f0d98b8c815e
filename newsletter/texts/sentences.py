"""The sentences of the pages by name, and those that a brand replaces in texts.de.toml and texts.en.toml.

A name is the beginning of the English sentence. Of two that begin alike, each also has a part of its hash: so a name
never comes to mean another sentence.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import get_args

from babel.messages.mofile import read_mo

from newsletter.config import Locale
from newsletter.texts.bilingual import Text

#: By language: the brand's sentence by ours in English, which is the catalogue's key.
Replaced = Mapping[Locale, Mapping[str, str]]

_CATALOGUE = Path(__file__).parent / "translations" / "de" / "LC_MESSAGES" / "messages.mo"
_WORDS = 6
#: A placeholder, or an HTML tag.
_PLACEHOLDER = re.compile(r"<[^<>]*>|%\(\w+\)s|\{\w+\}")
_PART_OF_ONE = re.compile(r"[<>%{}]")


@dataclass(frozen=True)
class Shown:
    """A sentence as people see it; `replaced`: the languages in which it is the brand's."""

    name: str
    text: Text
    replaced: tuple[Locale, ...]


def file_of(locale: Locale) -> str:
    """The name of the file in BRAND_DIR."""
    return f"texts.{locale}.toml"


@cache
def ours() -> Mapping[str, Text]:
    """Our sentences by name."""
    with _CATALOGUE.open("rb") as file:
        texts = [Text(str(it.string), str(it.id)) for it in read_mo(file) if it.id]
    begin_alike = Counter(_begin(text.en) for text in texts)
    return dict(sorted((_name(text.en, begin_alike), text) for text in texts))


def _name(english: str, begin_alike: Counter[str]) -> str:
    begin = _begin(english)
    if begin_alike[begin] == 1:
        return begin
    return f"{begin}-{hashlib.sha256(english.encode()).hexdigest()[:4]}"


def _begin(english: str) -> str:
    words = _PLACEHOLDER.sub(" ", english).replace("’", "").lower()
    return "-".join(re.findall(r"[a-z0-9]+", words)[:_WORDS])


def shown(replaced: Replaced) -> Iterator[Shown]:
    """Every sentence as people see it."""
    for name, text in ours().items():
        own = {each: replaced[each][text.en] for each in replaced if text.en in replaced[each]}
        now = Text(own.get("de", text.de), own.get("en", text.en))
        yield Shown(name, now, tuple(own))


def read(folder: Path | None) -> tuple[Replaced, list[str]]:
    """What a brand replaces, and one line for each mistake."""
    replaced: dict[Locale, dict[str, str]] = {}
    problems: list[str] = []
    for locale in get_args(Locale):
        if folder is None or not (file := folder / file_of(locale)).exists():
            continue
        try:
            given = tomllib.loads(file.read_text("utf-8"))
        except UnicodeDecodeError:
            wrong = ["it is not UTF-8; save it as that"]
        except tomllib.TOMLDecodeError as error:
            wrong = [f'{error}; write lines as name = "sentence"']
        except OSError:
            wrong = ["it cannot be read; make it readable for the user that runs the processes"]
        else:
            found = {name: _wrong(name, sentence, locale) for name, sentence in given.items()}
            wrong = [it for it in found.values() if it is not None]
            replaced[locale] = {ours()[name].en: given[name] for name in found if not found[name]}
        problems += [f"BRAND_DIR: {file.name}: {it}." for it in wrong]
    return replaced, problems


def _wrong(name: str, sentence: object, locale: Locale) -> str | None:
    """What is wrong with one line, and what to do."""
    if name not in ours():
        close = get_close_matches(name, ours(), n=1)
        perhaps = f" (perhaps “{close[0]}”)" if close else ""
        return f"no sentence is named “{name}”; see `newsletter texts`{perhaps}"
    if not isinstance(sentence, str) or not sentence.strip():
        return f'“{name}” is no sentence; write {name} = "sentence"'
    wanted = sorted(_PLACEHOLDER.findall(ours()[name].in_(locale)))
    if sorted(_PLACEHOLDER.findall(sentence)) != wanted:
        what = f"exactly these: {' '.join(wanted)}" if wanted else "none"
        return f"“{name}” has other placeholders or HTML tags than our sentence; use {what}"
    if found := _PART_OF_ONE.search(_PLACEHOLDER.sub("", sentence)):
        return f"“{name}” has a {found[0]} outside of a placeholder; leave it out"
    return None
