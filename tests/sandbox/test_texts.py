"""The tour in German: every sentence is translated, and the compiled catalogue is the written one."""

from __future__ import annotations

from pathlib import Path

from tests.texts.test_translations import ROOT, extracted, read_catalogue, read_compiled, texts

SANDBOX = ROOT / "sandbox"
CATALOGUE: Path = SANDBOX / "translations" / "de" / "LC_MESSAGES"


def test_every_text_is_translated() -> None:
    assert [message.id for message in read_catalogue(CATALOGUE) if not message.string] == []


def test_the_catalogue_has_exactly_the_texts_in_the_sources() -> None:
    assert set(texts(read_catalogue(CATALOGUE))) == extracted(SANDBOX)


def test_the_compiled_catalogue_is_the_written_one() -> None:
    assert texts(read_compiled(CATALOGUE)) == texts(read_catalogue(CATALOGUE))
