"""The link for people who did not sign up."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import Clock
from tests.people import ADA, JSON, access, confirm, link_in, sign_up, status_of
from tests.web.callers import BROWSER, statuses_of
from tests.web.conftest import Stored


@pytest.mark.requires("R11")
def test_opening_the_link_changes_nothing(
    client: FlaskClient, letter: EmailMessage, stored: Stored
) -> None:
    before = stored()

    assert statuses_of(client, link_in(letter, "not-me")) == {200}
    assert stored() == before


def test_the_page_has_one_button(client: FlaskClient, letter: EmailMessage) -> None:
    page = client.get(link_in(letter, "not-me"), headers=BROWSER).text

    assert page.count("<button") == 1
    assert 'name="block"' in page


def test_the_json_answer_names_the_action_of_a_post(
    client: FlaskClient, letter: EmailMessage
) -> None:
    assert client.get(link_in(letter, "not-me"), headers=JSON).json == {"action": "disown"}


@pytest.mark.requires("R24")
def test_pressing_the_button_deletes_the_sign_up(client: FlaskClient, letter: EmailMessage) -> None:
    answer = client.post(link_in(letter, "not-me"), data={}, headers=BROWSER)

    assert answer.status_code == 200
    assert status_of(client, ADA) == "unknown"


def test_the_json_answer_says_disowned(client: FlaskClient, letter: EmailMessage) -> None:
    answer = client.post(link_in(letter, "not-me"), headers=JSON)

    assert (answer.status_code, answer.json) == (200, {"status": "disowned"})


@pytest.mark.requires("R24")
@pytest.mark.parametrize(
    "sent", [{"data": {"block": "1"}}, {"json": {"block": True}}, {"json": {"block": 1}}]
)
def test_the_choice_blocks_the_address(
    client: FlaskClient, letter: EmailMessage, sent: dict[str, Any]
) -> None:
    client.post(link_in(letter, "not-me"), **sent)

    assert access(client, ADA)["reason"] == "not_me"


@pytest.mark.parametrize("sent", [{"data": {"block": ""}}, {"data": {"block": "0"}}, {"json": {}}])
def test_without_the_choice_nothing_is_kept(
    client: FlaskClient, letter: EmailMessage, sent: dict[str, Any]
) -> None:
    client.post(link_in(letter, "not-me"), **sent)

    assert status_of(client, ADA) == "unknown"


def test_a_repeated_click_is_the_same_success(client: FlaskClient, letter: EmailMessage) -> None:
    first, again = (client.post(link_in(letter, "not-me"), headers=JSON) for _ in range(2))

    assert (again.status_code, again.json) == (first.status_code, first.json)


@pytest.mark.parametrize("block", ["", "1"])
def test_a_used_link_says_so(client: FlaskClient, letter: EmailMessage, block: str) -> None:
    path = link_in(letter, "not-me")
    client.post(path, data={"block": block})

    page = client.get(path, headers=BROWSER).text

    assert "nicht mehr gespeichert" in page
    assert "<button" not in page
    assert client.get(path, headers=JSON).json == {"action": "disown", "is_done": True}


def test_a_choice_that_cannot_be_read_changes_nothing(
    client: FlaskClient, letter: EmailMessage
) -> None:
    answer = client.post(link_in(letter, "not-me"), json={"block": "perhaps"})

    assert answer.status_code == 422
    assert status_of(client, ADA) == "pending"


def test_a_link_that_is_not_ours_is_not_found(any_client: FlaskClient) -> None:
    assert any_client.post("/not-me/nonsense").status_code == 404


def test_after_not_me_a_new_sign_up_is_possible(client: FlaskClient, letter: EmailMessage) -> None:
    client.post(link_in(letter, "not-me"))

    assert sign_up(client, ADA).status_code == 202


def test_after_a_confirmation_the_page_says_that_the_proof_is_kept(
    client: FlaskClient, letter: EmailMessage
) -> None:
    confirm(client, letter)

    page = client.post(link_in(letter, "not-me"), data={}, headers=BROWSER).text

    assert "Sie sind abgemeldet" in page
    assert "31. Dezember" in page
    assert access(client, ADA)["reason"] == "not_me"


def test_after_a_confirmation_the_page_explains_the_button(
    client: FlaskClient, letter: EmailMessage
) -> None:
    confirm(client, letter)

    page = " ".join(client.get(link_in(letter, "not-me"), headers=BROWSER).text.split())

    assert "über den Link in unserer E-Mail bestätigt" in page
    assert "auch wenn jemand sie erneut einträgt. Den Nachweis bewahren wir bis zum" in page
    assert "löschen wir" not in page


def test_the_page_names_the_last_day_of_the_proof(
    clock: Clock, client: FlaskClient, letter: EmailMessage
) -> None:
    confirm(client, letter)
    clock.move_to(datetime(2027, 1, 1, 12, tzinfo=UTC))

    assert "31. Dezember 2030" in client.get(link_in(letter, "not-me"), headers=BROWSER).text


def test_the_page_says_that_the_address_is_blocked(
    client: FlaskClient, letter: EmailMessage
) -> None:
    for _ in range(2):
        page = client.post(link_in(letter, "not-me"), data={"block": "1"}, headers=BROWSER).text
        assert "Die Adresse ist gesperrt" in page


def test_the_page_says_that_an_address_no_longer_stored_could_not_be_blocked(
    client: FlaskClient, letter: EmailMessage
) -> None:
    client.post(link_in(letter, "not-me"))

    page = client.post(link_in(letter, "not-me"), data={"block": "1"}, headers=BROWSER).text

    assert "konnten wir daher nicht sperren" in page
    assert "Die Adresse ist gesperrt" not in page


def test_after_a_permanent_block_the_page_names_the_contact_instead_of_my_data(
    client: FlaskClient, letter: EmailMessage
) -> None:
    confirm(client, letter)

    page = client.post(link_in(letter, "not-me"), data={}, headers=BROWSER).text

    assert "keine automatischen E-Mails mehr" in page
    assert "„Meine Daten“" not in page


def test_after_a_confirmation_the_json_answer_says_blocked(
    client: FlaskClient, letter: EmailMessage
) -> None:
    confirm(client, letter)

    assert client.post(link_in(letter, "not-me"), headers=JSON).get_json() == {"status": "blocked"}
