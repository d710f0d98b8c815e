"""Every page of the desk, also one that answers a button, leads on: to the other language, and back to the desk."""

from __future__ import annotations

import pytest

from tests.conftest import ClientWith
from tests.people import ADA, ask_staff
from tests.web.callers import BROWSER
from tests.web.desk.visitor import Visitor
from tests.web.http.test_language import other_language
from tests.web.snippets import Document

READER = "support:a-token-that-only-sees:read"


def opened_in_english(visitor: Visitor, path: str, page: str) -> str:
    """Follow the link to the other language."""
    switch = other_language(page)
    assert (switch.name, switch.words) == ("a", "English")
    href = str(switch.attributes["href"])
    return visitor.opens(href if href.startswith("/") else f"{path}{href}")


@pytest.mark.parametrize(
    ("path", "fields", "heading"),
    [
        ("/desk/sign-in", {"token": "wrong"}, "Sign in"),
        ("/desk/import", {}, "Bring a list"),
    ],
)
def test_a_form_that_was_refused_is_opened_in_the_other_language(
    stranger: Visitor, path: str, fields: dict[str, str], heading: str
) -> None:
    if path != "/desk/sign-in":
        stranger.signs_in()
    stranger.opens(path)

    page = stranger.sends(path, **fields)
    assert page.status_code in (403, 422)
    assert f"<h1>{heading}</h1>" in opened_in_english(stranger, path, page.text)


def test_a_correction_that_was_refused_is_asked_for_in_the_other_language(staff: Visitor) -> None:
    ask_staff(staff.client, "blocks", ADA, reason="staff")
    staff.opens("/desk/people")
    path = f"{staff.sends('/desk/people', who=ADA).headers['Location']}/correct"

    page = staff.sends(path, new_email="grace@localhost")
    assert page.status_code == 422
    assert "<h1>Correct the address?</h1>" in opened_in_english(staff, path, page.text)


def test_who_was_not_found_is_still_in_the_field_in_the_other_language(staff: Visitor) -> None:
    staff.opens("/desk/people")
    page = staff.sends("/desk/people", who="ada@")

    form = other_language(page.text).within[-1]
    staff.csrf = Document(page.text).fields()["csrf_token"]
    again = staff.sends(f"/desk/people{form.attributes['action']}", who="ada@")
    assert "<h1>A person</h1>" in again.text
    assert Document(again.text).one("input", id="who").attributes["value"] == "ada@"


def test_what_was_done_is_still_said_in_the_other_language(staff: Visitor) -> None:
    path = "/desk/waiting"
    page = staff.presses(f"{path}/letters/nobody", action="try")

    assert "Nothing changed" in opened_in_english(staff, path, page)


def test_the_language_chosen_before_signing_in_is_kept(stranger: Visitor) -> None:
    answer = stranger.client.get("/desk?locale=en", headers=BROWSER)
    assert answer.headers["Location"] == "/desk/sign-in"

    assert stranger.signs_in().status_code == 303
    assert "<h1>Today</h1>" in stranger.opens("/desk")


def test_a_page_that_is_none_leads_back_to_the_desk(staff: Visitor) -> None:
    page = Document(staff.opens("/desk/nowhere", status=404))

    assert page.one("a", **{"class": "button"}).attributes["href"] == "/desk"


@pytest.mark.parametrize("path", ["/desk/import", "/desk/waiting/letters/nobody"])
def test_who_may_not_act_is_led_back_to_the_desk(client_with: ClientWith, path: str) -> None:
    visitor = Visitor(client_with(ADMIN_TOKENS=READER))
    visitor.signs_in("a-token-that-only-sees")

    page = visitor.sends(path, action="try")
    assert page.status_code == 403
    button = Document(page.text).one("a", **{"class": "button"})
    assert (button.words, button.attributes["href"]) == ("Zur Newsletter-Verwaltung", "/desk")


def test_a_button_whose_code_is_too_old_leads_to_the_desk_in_the_other_language(
    staff: Visitor,
) -> None:
    path = "/desk/waiting/letters/nobody"
    page = staff.sends(path, csrf_token="old")

    assert page.status_code == 400
    assert "<h1>Today</h1>" in opened_in_english(staff, path, page.text)
