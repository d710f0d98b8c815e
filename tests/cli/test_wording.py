"""The consent texts as a registry: listed, shown, withdrawn; and what a withdrawal means for whom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter.app import create_app
from newsletter.config import load
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Letter, db
from sandbox.mailbox import Mailbox
from tests.commands import Run
from tests.conftest import Clock, Drain, Join, sealing
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    JSON,
    STAFF,
    access,
    ask_staff,
    confirm,
    link_in,
    press,
    sign_up,
)

pytestmark = sealing

NEW_TOPICS = {"TOPICS": "Kursen für Tischler"}
DAY = timedelta(days=1)


@pytest.fixture
def renewed(environ: dict[str, Any]) -> Iterator[FlaskClient]:
    """A web process that was restarted with other topics; the one of `client` goes on with its own."""
    app = create_app(load({**environ, **NEW_TOPICS}))
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


def shown_by(client: FlaskClient, locale: str = "de") -> str:
    """The hash of the text that the form shows."""
    answer = client.get(f"/?locale={locale}", headers=JSON)
    assert answer.status_code == 200
    return str(answer.get_json()["wording"])


def listed(run: Run, **variables: str) -> dict[str, dict[str, Any]]:
    answer = run("wording", "--json", **variables)
    assert answer.exit_code == 0, answer.stderr
    return {text["hash"]: text for text in json.loads(answer.stdout)}


def test_the_texts_are_there_to_be_read(run: Run, client: FlaskClient, join: Join) -> None:
    join(ADA)
    hash_ = shown_by(client)

    told = run("wording").stdout
    assert f"{hash_}  de  published " in told
    assert "confirmations: 1; records that name it: 1" in told
    assert "neuen Werkzeugen" in run("wording", "show", hash_).stdout


def withdraw(run: Run, hash_: str, **variables: str) -> None:
    """Withdraw a text once the settings have another one."""
    answer = run("wording", "withdraw", hash_, **(variables or NEW_TOPICS))
    assert (answer.exit_code, answer.stdout) == (0, "Withdrawn.\n"), answer.stderr


def letters_of(app: Flask) -> list[Letter]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(Letter).order_by(Letter.number)))


def settle(app: Flask, **values: Any) -> None:
    """Write down of all letters what came of them, or that nobody knows."""
    with app.app_context(), writing() as session:
        session.execute(update(Letter).values(**values))


def test_the_list_has_every_text_and_marks_those_that_are_shown(
    run: Run, client: FlaskClient, renewed: FlaskClient, join: Join
) -> None:
    join(ADA)
    sign_up(client, GRACE)
    sign_up(renewed, HEDY)
    old, new, english = shown_by(client), shown_by(renewed), shown_by(client, "en")

    texts = listed(run, **NEW_TOPICS)

    assert {
        hash_: (text["language"], text["present"], text["records"]) for hash_, text in texts.items()
    } == {
        old: ("de", False, 2),
        new: ("de", True, 1),
        english: ("en", True, 0),
    }
    assert {text["withdrawn"] for text in texts.values()} == {None}
    assert next(iter(texts)) == new
    assert texts[old]["published"] < texts[new]["published"]


@pytest.mark.parametrize("words", ["wording", "wording show", "check"])
def test_listing_publishes_nothing(run: Run, client: FlaskClient, words: str) -> None:
    before = listed(run).keys()

    run(*words.split(), *([shown_by(client)] if "show" in words else []), **NEW_TOPICS)

    assert listed(run).keys() == before


def test_one_is_shown_in_full_withdrawn_or_not(
    run: Run, client: FlaskClient, renewed: FlaskClient
) -> None:
    old = shown_by(client)
    shown_by(renewed)
    withdraw(run, old)

    text = json.loads(run("wording", "show", "--json", old).stdout)

    assert "neuen Werkzeugen für Tischler" in text["text"]
    assert (text["hash"], text["present"]) == (old, False)
    assert text["withdrawn"].endswith("Z")


@pytest.mark.parametrize("act", ["show", "withdraw"])
@pytest.mark.parametrize("hash_", ["0" * 64, "x", ""])
def test_a_hash_of_no_text_is_status_one(run: Run, act: str, hash_: str) -> None:
    answer = run("wording", act, hash_)

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == (
        "Error: No consent text has this hash: `newsletter wording` lists those there are.\n"
    )


def test_the_text_that_the_form_shows_cannot_be_withdrawn(run: Run, client: FlaskClient) -> None:
    present = shown_by(client)

    answer = run("wording", "withdraw", present)

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "change TOPICS or the template first" in answer.stderr
    assert sign_up(client, ADA, wording=present).status_code == 202


def test_withdrawing_again_changes_nothing(
    run: Run, client: FlaskClient, renewed: FlaskClient
) -> None:
    old = shown_by(client)
    withdraw(run, old)
    first = listed(run)[old]["withdrawn"]
    withdraw(run, old)

    assert listed(run)[old]["withdrawn"] == first


@pytest.mark.requires("R2")
def test_a_withdrawn_text_is_refused_by_every_process_at_once(
    run: Run, client: FlaskClient, renewed: FlaskClient
) -> None:
    old = shown_by(client)
    shown_by(renewed)
    withdraw(run, old)

    answers = [sign_up(each, ADA, wording=old) for each in (client, renewed)]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].get_json()["type"].endswith("/problems#unknown-wording")


@pytest.mark.parametrize(
    ("locale", "changed"), [("de", NEW_TOPICS), ("en", {"TOPICS_EN": "courses for joiners"})]
)
def test_a_process_with_a_withdrawn_text_shows_the_valid_one_in_its_language(
    run: Run, client: FlaskClient, locale: str, changed: dict[str, str]
) -> None:
    old = shown_by(client, locale)
    withdraw(run, old, **changed)

    sign_up(client, ADA, locale=locale)
    new = shown_by(client, locale)
    assert listed(run)[new]["language"] == locale
    assert access(client, ADA)["wording"]["hash"] == new != old


def test_a_process_with_a_withdrawn_text_asks_by_the_valid_one_after_a_correction(
    run: Run, client: FlaskClient, renewed: FlaskClient, join: Join
) -> None:
    join(ADA)
    old, new = shown_by(client), shown_by(renewed)
    withdraw(run, old)

    ask_staff(client, "rectifications", ADA, new_email=HEDY)

    assert access(client, HEDY)["wording"]["hash"] == new
    assert access(client, ADA)["wording"]["hash"] == old


def test_settings_that_return_to_a_withdrawn_text_show_the_valid_one(
    run: Run, client: FlaskClient, renewed: FlaskClient
) -> None:
    old, new = shown_by(client), shown_by(renewed)
    withdraw(run, old)

    assert listed(run)[new]["present"]
    assert run("wording", "withdraw", new).exit_code == 1
    assert "was withdrawn, and another one is shown" in run("check").stderr


@pytest.fixture
def ended(run: Run, client: FlaskClient, renewed: FlaskClient, clock: Clock) -> str:
    """A text was withdrawn, nobody's record names it, and so it has ended; `client` still has its settings."""
    old = shown_by(client)
    shown_by(renewed)
    withdraw(run, old)
    clock.shift(2 * DAY)
    assert "wordings: 1" in run("retention", **NEW_TOPICS).stdout
    return old


def test_a_withdrawn_text_is_not_accepted_again_after_its_deletion(
    run: Run, client: FlaskClient, renewed: FlaskClient, ended: str
) -> None:
    new = shown_by(renewed)

    told = run("release")

    assert (told.exit_code, shown_by(client)) == (0, new)
    assert "was withdrawn, and another one is shown" in told.stderr
    assert [sign_up(each, ADA, wording=ended).status_code for each in (client, renewed)] == [
        422
    ] * 2
    assert sign_up(client, ADA).status_code == 202
    assert access(client, ADA)["wording"]["hash"] == new


def test_the_withdrawal_of_a_text_outlives_its_deletion(run: Run, ended: str) -> None:
    assert listed(run)[ended]["withdrawn"] == "2026-03-01T12:00:00Z"
    assert json.loads(run("wording", "show", "--json", ended).stdout)["text"] is None
    assert "has been deleted" in run("wording", "show", ended).stdout
    assert run("wording", "withdraw", ended).stdout == "Withdrawn.\n"


def test_staff_learn_that_the_settings_text_was_withdrawn(
    run: Run, client: FlaskClient, renewed: FlaskClient
) -> None:
    def reasons(client: FlaskClient) -> list[str]:
        told: list[str] = client.get("/ready", headers=STAFF).get_json()["reasons"]
        return [reason for reason in told if "consent text" in reason]

    old = shown_by(client)
    shown_by(renewed)
    assert reasons(client) == []
    withdraw(run, old)

    assert reasons(client) == [
        "the consent text of the settings was withdrawn, and another one is shown (de)"
    ]
    assert reasons(renewed) == []


def test_a_language_whose_texts_were_all_withdrawn_is_answered_in_one_that_has_any(
    run: Run, client: FlaskClient
) -> None:
    english = shown_by(client, "en")
    withdraw(run, english, TOPICS_EN="")

    assert shown_by(client, "en") == shown_by(client, "de")
    assert sign_up(client, ADA, locale="en").status_code == 202
    assert "(en)" in run("check").stderr


def test_letters_that_were_sent_can_still_be_confirmed(
    run: Run, client: FlaskClient, renewed: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    sign_up(client, GRACE)
    old = shown_by(client)
    shown_by(renewed)
    withdraw(run, old)
    drain()

    assert [press(each, mailbox, email) for each, email in ((client, ADA), (renewed, GRACE))] == [
        200,
        200,
    ]
    for email in (ADA, GRACE):
        agreed = [e for e in access(client, email)["events"] if e["event"] == "confirmed"]
        assert [event["wording"] for event in agreed] == [old]


def test_a_link_names_the_text_of_its_letter_even_after_the_letters_deletion(
    client: FlaskClient,
    renewed: FlaskClient,
    app: Flask,
    mailbox: Mailbox,
    drain: Drain,
    clock: Clock,
) -> None:
    """The mail server took the letter, nobody wrote that down, and the next sign-up dropped its row."""
    sign_up(client, ADA)
    drain()
    first = mailbox.letters_to(ADA)[0].message
    old = shown_by(client)
    settle(app, sent_at=None)
    clock.shift(DAY)
    sign_up(renewed, ADA)
    assert len(access(client, ADA)["letters"]) == 1

    page = client.get(link_in(first), headers=JSON).get_json()
    confirm(client, first)

    agreed = access(client, ADA)
    assert "neuen Werkzeugen" in page["consent"]
    assert agreed["wording"]["hash"] == old
    assert agreed["events"][-2]["wording"] == old
