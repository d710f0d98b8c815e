"""Every text of the pages has a German translation, and the compiled catalogue is current."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "newsletter"
CATALOGUE = PACKAGE / "texts" / "translations" / "de" / "LC_MESSAGES"


def read_catalogue(folder: Path = CATALOGUE) -> Catalog:
    with (folder / "messages.po").open("rb") as file:
        return read_po(file, locale="de")


def read_compiled(folder: Path = CATALOGUE) -> Catalog:
    with (folder / "messages.mo").open("rb") as file:
        return read_mo(file)


def texts(catalogue: Catalog) -> dict[str, str]:
    """German by English, without the catalogue's own header."""
    return {str(message.id): str(message.string) for message in catalogue if message.id}


def extracted(package: Path = PACKAGE) -> set[str]:
    """The texts in the sources, found by babel.cfg as `make texts` does."""
    config = configparser.ConfigParser()
    config.read(ROOT / "babel.cfg")
    sections = {name: dict(config[name]) for name in config.sections()}
    methods = [(name.partition(":")[2].strip(), name.partition(":")[0]) for name in sections]
    options = {name.partition(":")[2].strip(): values for name, values in sections.items()}
    keywords = {**DEFAULT_KEYWORDS, "UnreadableFile": None}
    return {str(found[2]) for found in extract_from_dir(package, methods, options, keywords)}


def test_every_text_is_translated() -> None:
    missing = [message.id for message in read_catalogue() if not message.string or message.fuzzy]

    assert missing == []


def test_translations_fill_in_the_same_values_and_links() -> None:
    inserted = re.compile(r"%\(\w+\)s|</?a\b[^>]*>")

    for english, german in texts(read_catalogue()).items():
        assert sorted(inserted.findall(german)) == sorted(inserted.findall(english))


def test_the_catalogue_has_exactly_the_texts_in_the_sources() -> None:
    assert set(texts(read_catalogue())) == extracted()


def test_the_compiled_catalogue_is_the_written_one() -> None:
    assert texts(read_compiled()) == texts(read_catalogue())


def test_the_german_is_formal() -> None:
    informal = re.compile(r"\b(du|dein\w*|dir|dich|euch|euer\w*)\b", re.IGNORECASE)

    assert [text for text in texts(read_catalogue()).values() if informal.search(text)] == []
