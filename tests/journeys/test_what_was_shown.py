"""The record names what somebody was shown, and never more than is known: text, form, e-mail, page."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.config import Locale
from newsletter.rights.proof import check
from newsletter.storage.keys import signing
from newsletter.subscriptions import wording
from newsletter.texts import versions
from sandbox.mailbox import Mailbox
from tests.conftest import ClientWith, Drain
from tests.people import ADA, JSON, STAFF, access, link_in, sign_up
from tests.web.callers import BROWSER
from tests.web.snippets import Document


@pytest.fixture
def hosted(client: FlaskClient) -> dict[str, str]:
    """What the hosted form sends."""
    return Document(client.get("/", headers=BROWSER).text).fields()


def letter_to_ada(drain: Drain, mailbox: Mailbox) -> EmailMessage:
    drain()
    return mailbox.letters_to(ADA)[-1].message


def words_of(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())


def proof_of(client: FlaskClient) -> dict[str, Any]:
    reference = access(client, ADA)["reference"]
    answer = client.get(f"/admin/proofs/{reference}", headers={**STAFF, **JSON})
    proof: dict[str, Any] = answer.get_json()
    assert check.check(signing.canonical(proof)).failed == []
    return proof


def steps_of(client: FlaskClient) -> dict[str, dict[str, Any]]:
    [round_] = proof_of(client)["rounds"]
    return {step["event"]: step for step in round_["steps"]}


def test_a_sign_up_that_names_no_text_is_recorded_as_presumed(
    app: Flask, client: FlaskClient
) -> None:
    sign_up(client, ADA)

    [round_] = proof_of(client)["rounds"]
    with app.app_context():
        published = wording.current("de").hash
    assert (round_["presumed"], round_["wording"]) == (True, published)
    assert [step["event"] for step in round_["steps"]] == ["signup"]
    [event] = [each for each in access(client, ADA)["events"] if each["event"] == "signup"]
    assert (event["presumed"], event["wording"]) == (True, published)


def test_the_proof_to_print_says_so(client: FlaskClient) -> None:
    sign_up(client, ADA)
    reference = access(client, ADA)["reference"]

    page = client.get(f"/admin/proofs/{reference}?locale=de", headers={**STAFF, **BROWSER}).text

    assert "vermutlich mit dem damals veröffentlichten Einwilligungstext" in page


def test_a_sign_up_that_names_its_text_is_not(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        shown = wording.current("de").hash
    sign_up(client, ADA, wording=shown)

    [round_] = proof_of(client)["rounds"]
    assert (round_["presumed"], round_["wording"]) == (False, shown)


def test_the_hosted_form_is_named_as_the_place_of_the_sign_up(
    client: FlaskClient, drain: Drain, mailbox: Mailbox, hosted: dict[str, str]
) -> None:
    client.post("/subscriptions", data={**hosted, "email": ADA}, headers=BROWSER)

    letter = letter_to_ada(drain, mailbox)
    assert "(MEZ) auf localhost für den Newsletter von" in words_of(letter)


@pytest.mark.parametrize("form", [None, "", "0" * 64, "not a hash"])
def test_a_form_elsewhere_is_not(
    client: FlaskClient, drain: Drain, mailbox: Mailbox, hosted: dict[str, str], form: str | None
) -> None:
    fields = {**hosted, "email": ADA}
    del fields["form"]
    client.post("/subscriptions", data=fields if form is None else {**fields, "form": form})

    text = words_of(letter_to_ada(drain, mailbox))
    assert "(MEZ) für den Newsletter von" in text
    assert "auf localhost" not in text
    assert "template" not in steps_of(client)["signup"]


def test_the_proof_names_the_versions_of_form_letter_and_page(
    app: Flask, client: FlaskClient, drain: Drain, mailbox: Mailbox, hosted: dict[str, str]
) -> None:
    client.post("/subscriptions", data={**hosted, "email": ADA}, headers=BROWSER)
    client.post(link_in(letter_to_ada(drain, mailbox)), headers=BROWSER)
    drain()

    steps = steps_of(client)
    with app.app_context():
        form = versions.of_page("pages/signup.html", "de")
        page = versions.of_page("pages/confirm.html", "de")
    [round_] = proof_of(client)["rounds"]
    letter = round_["letters"][0]["template"]
    assert hosted["form"] == form
    assert {name: step["template"] for name, step in steps.items()} == {
        "signup": form,
        "mail_sent": letter,
        "confirmed": page,
    }


def test_a_program_that_confirms_was_shown_no_page(
    client: FlaskClient, drain: Drain, mailbox: Mailbox
) -> None:
    sign_up(client, ADA)
    client.post(link_in(letter_to_ada(drain, mailbox)), headers=JSON)

    assert "template" not in steps_of(client)["confirmed"]


@pytest.mark.parametrize("page", ["pages/signup.html", "pages/confirm.html"])
def test_a_page_with_a_replaced_sentence_is_another_version_in_its_language(
    app: Flask, client_with: ClientWith, tmp_path: Path, page: str
) -> None:
    (tmp_path / "texts.de.toml").write_text('confirm = "Ja, anmelden"', "utf-8")
    replaced = client_with(BRAND_DIR=str(tmp_path)).application

    ours, theirs = (
        {each: version(it, page, each) for each in ("de", "en")} for it in (app, replaced)
    )
    assert ours["de"] != theirs["de"]
    assert ours["en"] == theirs["en"]


def version(app: Flask, page: str, language: Locale) -> str:
    with app.app_context():
        return versions.of_page(page, language)


def test_a_page_in_another_language_is_another_version(app: Flask) -> None:
    with app.app_context():
        assert versions.of_page("pages/signup.html", "de") != versions.of_page(
            "pages/signup.html", "en"
        )
