"""Dated copies of the privacy notice are kept with the consent text that names it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask

from newsletter.app import create_app
from newsletter.config import load
from newsletter.domain import clock as our_clock
from newsletter.rights.data import wordings
from newsletter.storage.database import reading
from newsletter.storage.models import PrivacyNotice, db
from newsletter.subscriptions import wording, wording_registry
from tests.conftest import release
from tests.people import ADA, JSON, STAFF, access, sign_up


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    file = tmp_path / "datenschutz.html"
    file.write_text("<h1>Datenschutz</h1> Fassung 1", "utf-8")
    return file


def started(environ: dict[str, Any], notice: Path, **variables: str) -> Flask:
    app = create_app(load({**environ, "PRIVACY_FILE": str(notice), **variables}))
    release(app)
    return app


def copies_in(app: Flask, locale: str = "de") -> list[tuple[str, str]]:
    """The copies in the proof of Ada's sign-up: since when, and how each ends."""
    client = app.test_client()
    sign_up(client, ADA, locale=locale)
    reference = access(client, ADA)["reference"]
    proof = client.get(f"/admin/proofs/{reference}", headers={**STAFF, **JSON}).get_json()
    with app.app_context():
        db.engine.dispose()
    [text] = proof["wordings"]
    return [(each["since"], each["text"][-9:]) for each in text["privacy_notices"]]


def test_each_change_of_the_file_is_kept_with_its_date(
    environ: dict[str, Any], notice: Path, clock: time_machine.Traveller
) -> None:
    started(environ, notice)
    clock.shift(timedelta(days=1))
    started(environ, notice)
    notice.write_text("Fassung 2", "utf-8")
    clock.shift(timedelta(days=1))
    started(environ, notice)
    notice.write_text("<h1>Datenschutz</h1> Fassung 1", "utf-8")
    clock.shift(timedelta(days=1))

    assert copies_in(started(environ, notice)) == [
        ("2026-03-01T12:00:00Z", "Fassung 1"),
        ("2026-03-03T12:00:00Z", "Fassung 2"),
        ("2026-03-04T12:00:00Z", "Fassung 1"),
    ]


def test_without_a_file_there_is_none(environ: dict[str, Any], app: Flask) -> None:
    assert copies_in(app) == []


def test_an_english_notice_of_its_own_is_not_the_german_one(
    environ: dict[str, Any], notice: Path
) -> None:
    english = {"PRIVACY_URL_EN": "https://www.example.com/privacy"}

    assert copies_in(started(environ, notice, **english), "en") == []
    assert load({**environ, "PRIVACY_FILE": str(notice)}).privacy_text_in("en") is not None


def test_a_copy_goes_with_its_consent_text(
    environ: dict[str, Any], notice: Path, clock: time_machine.Traveller
) -> None:
    app = started(environ, notice, TOPICS="alten Hobeln")
    with app.app_context():
        old = wording.current("de").hash
        db.engine.dispose()
    app = started(environ, notice)
    with app.app_context():
        wording_registry.withdraw(old)
        clock.shift(timedelta(days=2))
        for text in wordings.ENDING.find(our_clock.now()):
            wordings.ENDING.end(text)
        with reading() as session:
            named = set(session.scalars(db.select(PrivacyNotice.wording)))
        db.engine.dispose()

    assert named
    assert old not in named
