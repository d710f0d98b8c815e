"""Consent texts are immutable, found by their hash, and stored before they are shown."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from newsletter.app import create_core
from newsletter.config import load
from newsletter.domain import clock
from newsletter.domain.errors import UnknownWording
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Wording, db
from newsletter.subscriptions import wording, wording_registry
from tests.listening import listening

CoreWith = Callable[..., Flask]


@pytest.fixture
def core_with(environ: dict[str, Any]) -> Iterator[CoreWith]:
    """An application on the same database with other settings."""
    apps: list[Flask] = []

    def make(**variables: str) -> Flask:
        apps.append(create_core(load({**environ, **variables})))
        return apps[-1]

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()


def count() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Wording)) or 0


def test_a_text_names_the_sender_the_topics_and_how_to_unsubscribe(app: Flask) -> None:
    with app.app_context():
        text = wording.current("de").text

    assert "Muster & Söhne GmbH" in text
    assert "neuen Werkzeugen für Tischler" in text
    assert "datenschutz@example.com" in text
    assert "https://www.example.com/datenschutz" in text
    assert "Mailchimp" in text


def test_each_language_has_a_text_of_its_own(core_with: CoreWith) -> None:
    with core_with(PRIVACY_URL_EN="https://www.example.com/privacy").app_context():
        german, english = wording.current("de"), wording.current("en")

    assert (german.language, english.language) == ("de", "en")
    assert "new tools for joiners" in english.text
    assert "https://www.example.com/privacy" in english.text
    assert german.hash != english.hash


def test_a_text_that_a_process_has_shown_is_offered_without_a_query(app: Flask) -> None:
    with app.app_context():
        shown = wording.offered_cached(None, "en")
        assert shown.language == "en"
        with listening(db.engine) as said:
            assert wording.offered_cached(None, "en") == shown
            assert wording.offered_cached(shown.hash, "de") == shown

    assert said == []


def test_a_hash_is_fit_for_a_form(app: Flask) -> None:
    with app.app_context():
        assert re.fullmatch("[0-9a-f]{64}", wording.current("de").hash)


@pytest.mark.parametrize("locale", ["fr", "", "DE"])
def test_a_language_that_is_not_offered_falls_back(app: Flask, locale: str) -> None:
    with app.app_context():
        assert wording.current(locale).language == "de"


def test_without_english_topics_there_is_no_english_text(core_with: CoreWith) -> None:
    with core_with(TOPICS_EN="").app_context():
        assert wording.current("en").language == "de"


def test_an_unoffered_language_falls_back_to_the_default_language(core_with: CoreWith) -> None:
    with core_with(DEFAULT_LOCALE="en").app_context():
        assert wording.current("fr").language == "en"


def test_a_text_is_one_line_however_the_settings_break_theirs(core_with: CoreWith) -> None:
    with core_with(TOPICS="Werkzeugen\\n und   Kursen").app_context():
        text = wording.current("de").text

    assert "Werkzeugen und Kursen" in text
    assert "\n" not in text


def test_a_shown_text_can_be_found_by_its_hash(app: Flask) -> None:
    with app.app_context():
        for language in ("de", "en"):
            shown = wording.current(language)

            assert wording.find(shown.hash) == shown


def test_a_hash_of_no_text_is_unknown(app: Flask) -> None:
    with app.app_context(), pytest.raises(UnknownWording):
        wording.find("0" * 64)


def test_a_withdrawn_text_is_not_found(app: Flask) -> None:
    with app.app_context():
        shown = wording.current("de")
        with writing() as session:
            session.execute(update(Wording).values(withdrawn_at=clock.now()))

        with pytest.raises(UnknownWording):
            wording.find(shown.hash)


@pytest.mark.requires("R5")
def test_a_changed_setting_makes_a_new_text_and_leaves_the_old(
    app: Flask, core_with: CoreWith
) -> None:
    with app.app_context():
        before = wording.current("de")
    with core_with(TOPICS="Kursen für Tischler").app_context():
        after = wording.current("de")

        assert "Kursen" in after.text
        assert after.hash != before.hash
        assert wording.find(before.hash) == before


@pytest.mark.parametrize(
    "changed", [{"ORGANISATION": "Muster AG"}, {"CONTACT_EMAIL": "a@example.com"}, {"TOPICS": "x"}]
)
def test_every_setting_in_a_text_makes_another_one(
    app: Flask, core_with: CoreWith, changed: dict[str, str]
) -> None:
    with app.app_context():
        before = wording.current("de")

    with core_with(**changed).app_context():
        assert wording.current("de").hash != before.hash


def test_publishing_again_adds_nothing(app: Flask) -> None:
    with app.app_context():
        with writing() as session:
            texts = wording.publish(session)

        assert count() == 2
        assert texts == {language: wording.current(language) for language in ("de", "en")}


def test_a_text_is_published_before_it_is_shown(core_with: CoreWith) -> None:
    with core_with(TOPICS="Kursen für Tischler").app_context():
        before = clock.now()
        shown = wording.current("de")
        with reading() as session:
            held = session.get(Wording, shown.hash)

        assert held is not None
        assert before <= held.published_at <= clock.now()
        assert asdict(wording.text_of(held)) == asdict(shown)


def test_a_process_that_starts_finds_the_texts_of_the_release_and_writes_nothing(
    app: Flask, core_with: CoreWith
) -> None:
    with core_with().app_context(), listening(db.engine) as said:
        wording.current("de")

    assert {statement.split()[0] for statement, _ in said} & {"SELECT", "INSERT"} == {"SELECT"}


def test_within_a_transaction_a_text_is_published_too(core_with: CoreWith) -> None:
    with core_with(TOPICS="Kursen für Tischler").app_context():
        with writing() as session:
            shown = wording.current_in(session, "de")

        assert wording.find(shown.hash) == shown
        assert wording.current("de") == shown


def test_within_a_transaction_it_is_the_same_text(app: Flask) -> None:
    with app.app_context():
        shown = wording.current("en")
        with writing() as session:
            assert wording.current_in(session, "en") is shown


def publish_and_fail() -> None:
    with writing() as session:
        wording.current_in(session, "de")
        raise RuntimeError


def test_a_text_that_was_rolled_back_is_published_when_it_is_shown(core_with: CoreWith) -> None:
    with core_with(TOPICS="Kursen für Tischler").app_context():
        with pytest.raises(RuntimeError):
            publish_and_fail()

        assert wording.find(wording.current("de").hash).language == "de"


def test_many_processes_publish_a_new_text_at_once(core_with: CoreWith) -> None:
    begin = threading.Barrier(6)

    def show(app: Flask) -> str:
        with app.app_context():
            begin.wait(60)
            return wording.current("de").hash

    with ThreadPoolExecutor(6) as crowd:
        shown = list(crowd.map(show, [core_with(TOPICS="Kursen") for _ in range(6)]))
    assert len(set(shown)) == 1


def test_withdrawn_texts_are_named_by_language_in_a_warning_and_none_is_present(app: Flask) -> None:
    with app.app_context():
        before = wording_registry.warning()
        with writing() as session:
            session.execute(update(Wording).values(withdrawn_at=clock.now()))

        assert before is None
        assert str(wording_registry.warning()).endswith("another one is shown (de, en)")
        assert not any(text.is_present for text in wording_registry.all_texts())
