"""Sentences by name, and what a brand's files may say of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsletter.texts import sentences

LINK = '<a href=\\"%(url)s\\">'


def problems(folder: Path, line: str) -> list[str]:
    (folder / "texts.de.toml").write_text(line, "utf-8")
    replaced, found = sentences.read(folder)
    assert bool(found) != bool(replaced.get("de"))
    return found


def test_every_sentence_has_a_name_of_its_own_that_can_be_written() -> None:
    named = sentences.ours()

    assert len({text.en for text in named.values()}) == len(named) > 400
    assert all(name.replace("-", "").isalnum() and name.isascii() for name in named)


def test_a_name_is_the_beginning_of_the_english_sentence() -> None:
    named = sentences.ours()

    assert named["youre-subscribed"].en == "You’re subscribed"
    assert (
        named["wasnt-you-this-was-not-me"].en == 'Wasn’t you? <a href="%(url)s">This was not me</a>'
    )
    assert named["we-will-first-send-you-an"].en.startswith(
        "We will first send you an e-mail asking"
    )


def test_sentences_that_begin_alike_have_different_names() -> None:
    named = sentences.ours().items()
    alike = {name: text.en for name, text in named if text.en.lower() == "waiting"}

    assert sorted(alike.values()) == ["Waiting", "waiting"]
    assert all(re.fullmatch("waiting-[0-9a-f]{4}", name) for name in alike)


def test_without_a_folder_nothing_is_replaced() -> None:
    assert sentences.read(None) == ({}, [])


def test_a_sentence_that_is_replaced_is_shown_in_its_language_alone(tmp_path: Path) -> None:
    assert problems(tmp_path, 'subscribe = "Bestellen"') == []

    replaced, _ = sentences.read(tmp_path)
    [shown] = [each for each in sentences.shown(replaced) if each.name == "subscribe"]
    assert (shown.text.de, shown.text.en, shown.replaced) == ("Bestellen", "Subscribe", ("de",))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("subscribe", "(at end of document)"),
        ('subscribe = "a"\nsubscribe = "b"', "Cannot overwrite a value"),
        (
            'subscribes = "Ja"',
            "no sentence is named “subscribes”; see `newsletter texts` (perhaps “",
        ),
        ('[subscribe]\ntext = "Ja"', "“subscribe” is no sentence; write subscribe ="),
        ("subscribe = 1", "“subscribe” is no sentence"),
        ('subscribe = " "', "“subscribe” is no sentence"),
        ('subscribe = "%(topics)s"', "HTML tags than our sentence; use none"),
        ('subscribe = "<b>Ja</b>"', "HTML tags than our sentence; use none"),
        ('subscribe = "100 %"', "“subscribe” has a % outside of a placeholder; leave it out"),
        ('subscribe = "a < b"', "“subscribe” has a < outside of a placeholder"),
        ('information-about-by-e-mail = "Neues"', "use exactly these: %(topics)s"),
        ('information-about-by-e-mail = "%(topic)s"', "use exactly these: %(topics)s"),
        ('information-about-by-e-mail = "%(topics)s %(topics)s"', "use exactly these: %(topics)s"),
        (
            'wasnt-you-this-was-not-me = "<a href=\\"/\\">Das war ich nicht</a>"',
            'use exactly these: </a> <a href="%(url)s">',
        ),
        ('this-address-is-blocked-and-only = "Schreiben Sie uns."', "use exactly these: {contact}"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, said: str) -> None:
    (problem,) = problems(tmp_path, line)

    assert problem.startswith("BRAND_DIR: texts.de.toml: ")
    assert said in problem


def test_a_sentence_with_its_link_is_taken(tmp_path: Path) -> None:
    line = f'wasnt-you-this-was-not-me = "Nicht Sie? {LINK}Ich war es nicht</a>"'

    assert problems(tmp_path, line) == []


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "texts.de.toml").write_bytes('subscribe = "Jä"'.encode("latin-1"))

    assert sentences.read(tmp_path)[1] == [
        "BRAND_DIR: texts.de.toml: it is not UTF-8; save it as that."
    ]


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "texts.de.toml").write_text('no-such-name = "a"\nsubscribe = "<b>"', "utf-8")
    (tmp_path / "texts.en.toml").write_text("subscribe = 1", "utf-8")

    assert [each.split(": ")[1] for each in sentences.read(tmp_path)[1]] == [
        "texts.de.toml",
        "texts.de.toml",
        "texts.en.toml",
    ]


def test_our_own_sentences_could_replace_themselves() -> None:
    """So that whatever is listed can be copied and changed."""
    for name, text in sentences.ours().items():
        for locale in ("de", "en"):
            assert sentences._wrong(name, text.in_(locale), locale) is None
