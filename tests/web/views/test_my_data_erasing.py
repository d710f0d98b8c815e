"""Erasing on the my-data page: a second page explains what happens and has one button."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.mailchimp import StandIn
from tests.conftest import Clock, Drain, PathOf
from tests.people import (
    ADA,
    access,
    ask_staff,
    said_by,
    sign_up,
    status_of,
)
from tests.web.callers import BROWSER, statuses_of
from tests.web.conftest import Stored
from tests.web.snippets import Document

HOUR = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("clock")


def opened(client: FlaskClient, path: str) -> Document:
    """A page, as it is read."""
    page = client.get(path, headers=BROWSER)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    return Document(page.text)


def second_step(client: FlaskClient, path: str) -> str:
    """Where the page of one's own data leads whoever wants everything erased."""
    [link] = [
        link.attributes["href"]
        for link in opened(client, path).named("a")
        if "/erase" in str(link.attributes["href"])
    ]
    return str(link)


def erase_by_page(client: FlaskClient, path: str, **choice: str) -> TestResponse:
    """The page after the last button was pressed."""
    fields = {"action": "erase", **choice}
    return client.post(path, data=fields, headers=BROWSER, follow_redirects=True)


# The second step


def test_one_click_erases_nothing(client: FlaskClient, path: str) -> None:
    page = opened(client, path)

    assert "erase" not in [each.attributes.get("value") for each in page.named("input")]
    assert second_step(client, path).startswith(f"{path}/erase")


def test_opening_the_second_step_changes_nothing_and_is_not_recorded(
    client: FlaskClient, path: str, stored: Stored
) -> None:
    before = stored()

    assert statuses_of(client, f"{path}/erase") == {200}
    assert stored() == before


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        (
            "de",
            (
                "Noch ist nichts gelöscht",
                "lässt sich nicht rückgängig machen",
                "auch den Nachweis Ihrer Einwilligung",
                "Bis Mailchimp das bestätigt hat",
                "Was bleibt",
                "Sicherungskopien",
                "Trägt sie jemand erneut ein",
            ),
        ),
        (
            "en",
            (
                "Nothing has been deleted yet",
                "cannot be undone",
                "including the proof of your consent",
                "Until Mailchimp has confirmed this",
                "What stays",
                "Backups",
                "If somebody enters it again",
            ),
        ),
    ],
)
def test_the_second_step_says_what_will_happen_and_what_stays(
    client: FlaskClient, path: str, locale: str, told: tuple[str, ...]
) -> None:
    page = opened(client, f"{path}/erase?locale={locale}")

    main = page.one("main").words
    assert [each for each in told if each not in main] == []
    assert page.one("html").attributes["lang"] == locale
    assert len(page.named("h1")) == 1


def test_its_one_button_erases_without_a_script_and_without_a_block(
    client: FlaskClient, path: str
) -> None:
    page = opened(client, second_step(client, path))

    assert (len(page.named("form")), len(page.named("button")), page.named("script")) == (1, 1, [])
    assert page.one("button").attributes["class"] == "final"
    box = page.one("input", type="checkbox")
    assert "checked" not in box.attributes
    answer = client.post(
        str(page.one("form").attributes["action"]),
        data={name: value for name, value in page.fields().items() if name != "keep_block"},
        headers=BROWSER,
    )
    assert (answer.status_code, status_of(client, ADA)) == (303, "erasing")


def test_its_box_keeps_a_block(client: FlaskClient, path: str, drain: Drain) -> None:
    page = opened(client, second_step(client, path))

    client.post(str(page.one("form").attributes["action"]), data=page.fields(), headers=BROWSER)
    drain()

    assert (access(client, ADA)["status"], access(client, ADA)["reason"]) == ("blocked", "staff")


def test_the_way_back_leads_to_the_page_it_came_from(client: FlaskClient, path: str) -> None:
    page = opened(client, second_step(client, path))

    back = page.one("a", **{"class": "button"}).attributes["href"]
    assert opened(client, str(back)).one("h1").words == "Meine Daten"


@pytest.mark.parametrize("reason", ["unsubscribed", "complaint"])
def test_a_blocked_person_reads_that_the_block_is_deleted_too(
    client: FlaskClient, path: str, reason: str
) -> None:
    words = "Auch die jetzige Sperre"
    assert words not in opened(client, f"{path}/erase").one("main").words
    ask_staff(client, "blocks", ADA, reason=reason)

    assert words in opened(client, f"{path}/erase").one("main").words


def test_the_second_step_ends_with_the_links_hour_and_with_the_erasure(
    client: FlaskClient, path: str, path_of: PathOf, clock: Clock
) -> None:
    clock.shift(HOUR)
    late = client.get(f"{path}/erase", headers=BROWSER)
    fresh = path_of()
    client.post(fresh, data={"action": "erase"}, headers=BROWSER)
    again = client.get(f"{fresh}/erase", headers=BROWSER)

    assert (late.status_code, again.status_code) == (410, 410)
    assert 'href="/my-data?locale=' in again.text


def test_a_second_step_that_is_not_ours_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get("/my-data/nonsense/erase", headers=BROWSER).status_code == 404
    assert client.post(f"{path}/erase", data={"action": "erase"}).status_code == 405
    assert status_of(client, ADA) == "confirmed"


# What is done


@pytest.mark.requires("R55")
def test_erasing_is_at_once_here_and_then_at_mailchimp(
    client: FlaskClient, mailchimp: StandIn, path: str, drain: Drain
) -> None:
    reference = access(client, ADA)["reference"]

    page = erase_by_page(client, path)
    assert (page.status_code, status_of(client, ADA)) == (200, "erasing")
    assert reference in page.text
    drain()

    assert status_of(client, ADA) == "unknown"
    assert mailchimp.contacts == {}
    assert client.get(path).status_code == 410


def test_the_number_is_still_there_when_the_page_is_loaded_again(
    client: FlaskClient, path: str, drain: Drain
) -> None:
    reference = access(client, ADA)["reference"]
    answer = client.post(path, data={"action": "erase"}, headers=BROWSER)
    assert (answer.status_code, status_of(client, ADA)) == (303, "erasing")
    pages = [client.get(answer.location, headers=BROWSER)]
    drain()

    pages.append(client.get(answer.location, headers=BROWSER))

    assert [(page.status_code, reference in page.text) for page in pages] == [(200, True)] * 2
    assert ["Die Löschung bei Mailchimp läuft" in page.text for page in pages] == [True, False]


def test_a_button_pressed_twice_leads_to_the_same_number(client: FlaskClient, path: str) -> None:
    first = erase_by_page(client, path)

    assert erase_by_page(client, path).text == first.text


def test_nothing_is_called_erased_before_it_is(client: FlaskClient, path: str) -> None:
    assert client.get(f"{path}/erased", headers=BROWSER).status_code == 410
    assert client.get("/my-data/nonsense/erased", headers=BROWSER).status_code == 404


def test_the_json_answer_to_an_erasure_has_the_reference(client: FlaskClient, path: str) -> None:
    reference = access(client, ADA)["reference"]

    answer = client.post(path, json={"action": "erase"})

    assert said_by(answer) == {"status": "done", "action": "erase", "reference": reference}


def test_erasing_under_an_open_erasure_names_the_new_reference(
    client: FlaskClient, path: str, path_of: PathOf
) -> None:
    ask_staff(client, "erasures", ADA)
    sign_up(client, ADA)
    reference = access(client, ADA)["reference"]

    answer = client.post(path_of(), json={"action": "erase"})

    assert said_by(answer)["reference"] == reference


def test_erasing_can_keep_a_block(client: FlaskClient, path: str, drain: Drain) -> None:
    page = erase_by_page(client, path, keep_block="1")
    drain()

    assert "Kennwert" in page.text
    assert (access(client, ADA)["status"], access(client, ADA)["email"]) == ("blocked", None)


@pytest.mark.parametrize("keep_block", [False, True])
def test_a_person_of_whom_only_a_digest_is_stored_can_be_erased(
    client: FlaskClient, drain: Drain, path_of: PathOf, keep_block: bool
) -> None:
    ask_staff(client, "blocks", ADA, reason="staff")
    drain()
    path, held = path_of(), access(client, ADA)
    assert held["email"] is None

    answer = client.post(path, json={"action": "erase", "keep_block": keep_block})
    drain()

    assert (answer.status_code, said_by(answer)["reference"]) == (200, held["reference"])
    assert status_of(client, ADA) == ("blocked" if keep_block else "unknown")
