"""`newsletter texts`: every sentence by name, for reading and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsletter.texts import sentences
from tests.commands import Run


@pytest.fixture
def brand(tmp_path: Path) -> Path:
    """A brand that replaces one German sentence and one file."""
    (tmp_path / "texts.de.toml").write_text('subscribe = "Bestellen"', "utf-8")
    (tmp_path / "wordings").mkdir()
    (tmp_path / "wordings/en.txt").write_text("Yes.", "utf-8")
    return tmp_path


def test_every_sentence_is_on_a_line_of_its_own_in_each_language(run: Run, brand: Path) -> None:
    lines = run("texts", BRAND_DIR=str(brand)).stdout.splitlines()

    assert "subscribe  de  Bestellen (replaced)" in lines
    assert "subscribe  en  Subscribe" in lines
    assert "youre-subscribed  de  Anmeldung bestätigt" in lines
    assert "letters/confirmation.de.subject" in lines
    assert "wordings/en.txt (replaced)" in lines
    assert len(lines) > 2 * len(sentences.ours())


def test_programs_get_them_as_json(run: Run, brand: Path) -> None:
    told = json.loads(run("texts", "--json", BRAND_DIR=str(brand)).stdout)

    [subscribe] = [each for each in told["sentences"] if each["name"] == "subscribe"]
    assert subscribe == {
        "name": "subscribe",
        "de": "Bestellen",
        "en": "Subscribe",
        "replaced": ["de"],
    }
    assert (told["files"]["wordings/de.txt"], told["files"]["wordings/en.txt"]) == (False, True)


def test_a_mistake_in_a_file_is_told_instead(run: Run, tmp_path: Path) -> None:
    (tmp_path / "texts.en.toml").write_text('subscribed = "Yes"', "utf-8")

    refused = run("texts", BRAND_DIR=str(tmp_path))

    assert refused.exit_code == 2
    assert "BRAND_DIR: texts.en.toml: no sentence is named “subscribed”" in refused.stderr
