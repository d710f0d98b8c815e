"""The unsubscribe link."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from flask.testing import FlaskClient

from tests.people import ADA, JSON, access, ask_staff, confirm, events_of, sign_up, status_of
from tests.web.callers import BROWSER, statuses_of
from tests.web.conftest import Stored

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def path(client: FlaskClient, letter: EmailMessage) -> str:
    """The path of the link to leave of Ada, who has confirmed."""
    url: str = confirm(client, letter).get_json()["unsubscribe"]
    return url.removeprefix("http://localhost:8000")


@pytest.mark.requires("R11", "R46")
def test_opening_the_link_changes_nothing(client: FlaskClient, path: str, stored: Stored) -> None:
    before = stored()

    assert statuses_of(client, path) == {200}
    assert stored() == before


@pytest.mark.requires("R45")
def test_the_page_has_one_button_and_no_field(client: FlaskClient, path: str) -> None:
    page = client.get(path, headers=BROWSER).text

    assert page.count("<button") == 1
    assert "<input" not in page


def test_the_json_answer_names_the_action_of_a_post(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers=JSON).json == {"action": "unsubscribe"}


@pytest.mark.requires("R45")
def test_pressing_the_button_blocks(client: FlaskClient, path: str) -> None:
    answer = client.post(path, headers=BROWSER)

    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert access(client, ADA)["reason"] == "unsubscribed"


def test_the_json_answer_says_blocked(client: FlaskClient, path: str) -> None:
    answer = client.post(path, headers=JSON)

    assert (answer.status_code, answer.json) == (200, {"status": "blocked"})


@pytest.mark.requires("R46")
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_one_click_needs_no_redirect(client: FlaskClient, path: str, content_type: str) -> None:
    answer = client.post(path, data=ONE_CLICK, content_type=content_type)

    assert answer.status_code == 200
    assert status_of(client, ADA) == "blocked"


@pytest.mark.requires("R51")
def test_unsubscribing_again_is_the_same_success(client: FlaskClient, path: str) -> None:
    first, again = client.post(path), client.post(path)

    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert events_of(client, ADA).count("blocked") == 1


@pytest.mark.parametrize("then", ["leave", "return", "erase"])
def test_a_used_link_says_so(client: FlaskClient, path: str, then: str) -> None:
    client.post(path)
    if then == "return":
        sign_up(client, ADA)
    if then == "erase":
        ask_staff(client, "erasures", ADA)

    page = client.get(path, headers=BROWSER).text

    assert "Sie sind bereits abgemeldet" in page
    assert "<button" not in page
    assert client.get(path, headers=JSON).json == {"action": "unsubscribe", "is_done": True}


def test_unsubscribing_after_an_erasure_is_a_success(client: FlaskClient, path: str) -> None:
    ask_staff(client, "erasures", ADA)

    assert client.post(path, headers=JSON).json == {"status": "blocked"}
    assert client.post(path, headers=BROWSER).status_code == 200


def test_a_link_that_is_not_ours_is_not_found(any_client: FlaskClient) -> None:
    assert any_client.post("/unsubscribe/nonsense", data=ONE_CLICK).status_code == 404
