"""What `newsletter check` finds in the consent texts that were ever shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text, update

from newsletter.app import create_core
from newsletter.cli.check import running
from newsletter.config import load
from newsletter.domain import clock
from newsletter.storage.database import writing
from newsletter.storage.models import Wording, db
from newsletter.subscriptions import wording
from tests.conftest import COMPANY, every_loop

pytestmark = every_loop

LACKING = "1" * 64


@pytest.fixture
def core(database_url: str) -> Iterator[Flask]:
    app = create_core(load({**COMPANY, "DATABASE_URL": database_url}))
    yield app
    with app.app_context():
        db.engine.dispose()


def publish(core: Flask, language: str, words: str) -> None:
    """A text that some earlier settings made."""
    with core.app_context(), writing() as session:
        session.add(Wording(hash=LACKING, language=language, text=words, published_at=clock.now()))


def findings(core: Flask) -> list[str]:
    return [
        str(finding) for finding in running.findings(core) if finding.about.startswith("wording")
    ]


def test_our_own_texts_have_no_finding(core: Flask) -> None:
    assert findings(core) == []


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_text_with_other_topics_has_no_finding(core: Flask, language: str) -> None:
    with core.app_context():
        words = wording.current(language).text
    publish(core, language, words.replace("Tischler", "Bäcker").replace("joiners", "bakers"))

    assert findings(core) == []


def test_what_an_earlier_text_lacks_is_named(core: Flask) -> None:
    publish(core, "de", "Ja, ich möchte den Newsletter per E-Mail erhalten.")

    [found] = findings(core)

    assert found.startswith(
        f"wording {LACKING}: this consent text is still accepted and does not name"
    )
    for part in ("Mailchimp", "USA", "widerrufen", "means to withdraw", "privacy notice"):
        assert part in found
    assert "channel" not in found
    assert "newsletter wording withdraw" in found


def test_a_text_that_was_withdrawn_may_lack_anything(core: Flask) -> None:
    publish(core, "en", "Yes!")
    with core.app_context(), writing() as session:
        withdrawn = update(Wording).where(Wording.hash == LACKING)
        session.execute(withdrawn.values(withdrawn_at=clock.now()))

    assert findings(core) == []


def test_a_present_text_that_was_withdrawn_is_found(core: Flask) -> None:
    with core.app_context():
        present = wording.current("de").hash
        with writing() as session:
            withdrawn = update(Wording).where(Wording.hash == present)
            session.execute(withdrawn.values(withdrawn_at=clock.now()))

    [found] = findings(core)

    assert "was withdrawn" in found
    assert "change TOPICS" in found


def test_a_database_that_is_not_ready_is_left_to_its_own_check(core: Flask) -> None:
    with core.app_context(), writing() as session:
        session.execute(text("DELETE FROM alembic_version"))

    assert findings(core) == []
