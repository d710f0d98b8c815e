"""The tour, walked through real processes."""

from __future__ import annotations

import html
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.pages import create_pages
from sandbox.tour.service import Service
from tests.conftest import COMPANY
from tests.journeys.service import running
from tests.patience import PATIENCE
from tests.people import STAFF_TOKEN, WEBHOOK_SECRET
from tests.sandbox import tour
from tests.sandbox.tour import Page, look


def press(visitor: FlaskClient, button: str, **fields: str) -> Page:
    """Press a button, and let the page look again by itself until nothing is under way."""
    page = tour.press(visitor, button, **fields)
    ends = time.monotonic() + PATIENCE
    while page.looks_again and time.monotonic() < ends:
        page = look(visitor)
    return page


@dataclass
class Around:
    """Running processes and everything around them."""

    service: Service
    mailbox: Mailbox
    mailchimp: StandIn

    def visitor(self) -> FlaskClient:
        """Somebody who opens the tour for the first time."""
        return create_pages(self.mailchimp, self.mailbox, self.service).test_client()


@pytest.fixture(scope="module")
def around(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Around]:
    folder = tmp_path_factory.mktemp("tour")
    shutil.copy(sqlite_template, folder / "tour.sqlite3")
    with Mailbox() as mailbox, StandIn() as mailchimp:
        environ: dict[str, Any] = {
            **COMPANY,
            "DATABASE_URL": f"sqlite:///{folder}/tour.sqlite3",
            "SMTP_URL": mailbox.smtp_url,
            "MAILCHIMP_API_KEY": mailchimp.api_key,
            "MAILCHIMP_LIST_ID": mailchimp.list_id,
            "MAILCHIMP_API_URL": mailchimp.api_url,
        }
        with running(environ, folder) as processes:
            mailchimp.webhook_url = processes.url(f"/webhooks/mailchimp/{WEBHOOK_SECRET}")
            service = Service(processes.url(""), STAFF_TOKEN, folder / "sandbox.env")
            yield Around(service, mailbox, mailchimp)


@pytest.fixture
def visitor(around: Around) -> FlaskClient:
    return around.visitor()


@dataclass
class Walked:
    """Every button that was to be pressed next, and the page it led to."""

    email: str
    pressed: list[str]
    pages: list[Page]


@pytest.fixture(scope="module")
def walked(around: Around) -> Walked:
    visitor = around.visitor()
    press(visitor, "anew")
    page = look(visitor)
    way = Walked(page.next.fields["email"] if page.next else "", [], [page])
    while page.next is not None and not (page.next.action == "/tour/sign-up" and _is_over(page)):
        assert len(way.pressed) < 12, way.pressed
        way.pressed.append(page.next.action.removeprefix("/tour/"))
        page = press(visitor, way.pressed[-1], **page.next.fields)
        way.pages.append(page)
    return way


def _is_over(page: Page) -> bool:
    return "Mailchimp deleted the contact permanently" in page.text


def test_the_next_button_leads_all_the_way(walked: Walked) -> None:
    assert walked.pressed == [
        "sign-up",
        "confirm",
        "unsubscribe-there",
        "sign-up",
        "confirm",
        "answer-mailchimp",
        "leave-by-link",
        "erase",
    ]


def test_the_way_needs_two_letters(walked: Walked, around: Around) -> None:
    assert len(around.mailbox.letters_to(walked.email)) == 2


@pytest.mark.parametrize(
    ("step", "status", "there"),
    [
        (1, "pending", "none"),
        (2, "confirmed", "subscribed"),
        (3, "blocked", "unsubscribed"),
        (4, "returning", "unsubscribed"),
        (5, "confirmed", "pending"),
        (6, "confirmed", "subscribed"),
        (7, "blocked", "unsubscribed"),
        (8, "nothing", "deleted permanently"),
    ],
)
def test_each_step_shows_both_sides(walked: Walked, step: int, status: str, there: str) -> None:
    shown = re.findall(r'<span class="status">([^<]+)</span>', walked.pages[step].html)

    assert shown == [there, status]


@pytest.mark.parametrize(
    ("step", "calls"),
    [
        (1, ["POST /subscriptions 202", "SMTP an e-mail 250"]),
        (3, ["POST /webhooks/mailchimp/… (unsubscribe) 204"]),
    ],
)
def test_each_step_shows_the_calls_it_led_to(walked: Walked, step: int, calls: list[str]) -> None:
    latest = re.findall(r"<code>([^<]+)</code> <b>(\w+)</b></li>", walked.pages[step].html)

    assert [" ".join(call) for call in latest] == calls


def test_the_erasure_names_every_place(walked: Walked) -> None:
    assert "The deletion: pending database done Mailchimp done database file waiting" in (
        walked.pages[-1].text
    )


def test_no_page_shows_a_token(walked: Walked) -> None:
    shown = " ".join(page.text for page in walked.pages)

    assert not re.search(rf"{STAFF_TOKEN}|{WEBHOOK_SECRET}|/(confirm|unsubscribe)/\w", shown)


def test_no_page_holds_the_admin_token(walked: Walked) -> None:
    assert STAFF_TOKEN not in "".join(page.html for page in walked.pages)


def test_a_page_shows_the_reason(walked: Walked) -> None:
    assert "Why: the person unsubscribed" in walked.pages[3].text


def test_leaving_by_ones_own_link_is_not_shown_as_leaving_at_mailchimp(
    visitor: FlaskClient,
) -> None:
    email = "leaves-both-ways@example.com"
    for button in ("sign-up", "confirm", "unsubscribe-there", "sign-up", "confirm"):
        press(visitor, button, email=email)

    left = press(visitor, "leave-by-link", email=email)

    assert "What happened leaves-both-ways@example.com The service blocked the address" in left.text


def test_leaving_at_mailchimp_is_shown_as_such(walked: Walked) -> None:
    assert "Mailchimp called the service’s webhook" in walked.pages[3].text


def test_a_contact_that_is_not_taken_back_at_once_is_shown_with_mailchimps_400(
    walked: Walked,
) -> None:
    assert "Mailchimp answered 400: a person who unsubscribed there" in walked.pages[5].text


def test_the_end_shows_the_call_for_the_state_of_the_erasure(walked: Walked) -> None:
    assert re.search(r"curl -sS \S+/admin/erasures/[\w-]{8,} ", walked.pages[-1].text)


def test_a_sign_up_by_hand_is_followed(around: Around) -> None:
    visitor = around.visitor()
    press(visitor, "anew")
    before = len(around.mailbox.letters)
    around.service.sign_up("by-hand@example.com", "", "en")
    around.mailbox.wait_for(before + 1)

    assert "by-hand@example.com The e-mail has arrived" in look(visitor).text


def test_a_person_who_confirmed_by_hand_can_leave_by_their_link(
    around: Around, visitor: FlaskClient
) -> None:
    email = "confirms-by-hand@example.com"
    page = press(visitor, "sign-up", email=email)
    link = re.search(r'href="[^"]+(/confirm/[^"]+)"', page.html)
    assert link is not None
    around.service.press(email, link[1])

    left = press(visitor, "leave-by-link", email=email)

    assert "POST /unsubscribe/… 200" in left.text
    assert "Why: the person unsubscribed" in left.text


def test_a_second_sign_up_at_once_is_too_soon(visitor: FlaskClient) -> None:
    press(visitor, "sign-up", email="twice@example.com")

    again = press(visitor, "sign-up", email="twice@example.com")

    assert "Nothing changed. The service answered 202" in again.text
    assert "too early for another e-mail" in again.text


def test_a_notice_is_shown_once(visitor: FlaskClient) -> None:
    press(visitor, "sign-up", email="no address")

    assert "Nothing changed." not in look(visitor).text


def test_the_limit_of_three_letters_a_day_is_shown(visitor: FlaskClient) -> None:
    email = "often@example.com"
    for _ in range(3):
        press(visitor, "sign-up", email=email)
        press(visitor, "confirm", email=email)
        press(visitor, "leave-by-link", email=email)

    fourth = press(visitor, "sign-up", email=email)

    assert "this address got three e-mails within a day" in fourth.text
    assert "Use another address" in fourth.text


def test_a_sign_up_of_a_confirmed_person_changes_nothing(visitor: FlaskClient) -> None:
    press(visitor, "sign-up", email="already@example.com")
    press(visitor, "confirm", email="already@example.com")

    assert "this address is confirmed already" in (
        press(visitor, "sign-up", email="already@example.com").text
    )


def test_what_is_no_address_stays_in_the_form_with_the_services_answer(
    visitor: FlaskClient,
) -> None:
    page = press(visitor, "sign-up", email='"><b>nobody')

    assert "The service answered 422: Not a valid e-mail address" in page.text
    assert {"email": '"><b>nobody'}.items() <= page.button("sign-up").fields.items()
    assert "<b>nobody" not in page.html


def test_an_erased_person_who_comes_back_is_shown_mailchimps_own_form(
    around: Around, visitor: FlaskClient
) -> None:
    around.mailchimp.forgotten.add("forgotten@example.com")
    press(visitor, "sign-up", email="forgotten@example.com")

    page = press(visitor, "confirm", email="forgotten@example.com")

    assert "Use Mailchimp’s own form" in page.text
    assert 'href="/hosted-form">Mailchimp’s own form' in page.html


def test_somebody_else_can_be_shown(visitor: FlaskClient) -> None:
    page = press(visitor, "follow", email="stranger@example.com")

    assert "POST /admin/access answered 404" in page.text


@pytest.mark.parametrize("button", ["unsubscribe-there", "answer-mailchimp", "explode"])
def test_what_cannot_be_pressed_is_not_found(visitor: FlaskClient, button: str) -> None:
    answer = visitor.post(f"/tour/{button}", data={"email": "stranger@example.com"})

    assert answer.status_code == 404


def test_who_confirmed_can_open_their_data_and_staff_the_proof(
    around: Around, visitor: FlaskClient
) -> None:
    press(visitor, "sign-up", email="opens-data@example.com")
    page = press(visitor, "confirm", email="opens-data@example.com")

    (data,) = re.findall(r'href="([^"]+/my-data/[^"]+)"', page.html)
    mine = requests.get(data, headers={"Accept": "text/html"}, timeout=PATIENCE)
    assert "opens-data@example.com" in mine.text
    (path,) = re.findall(r'href="(/proof/\w+)"', page.html)
    proof = html.unescape(visitor.get(path).text)
    assert "opens-data@example.com" in proof
    assert "<style>" in proof
    assert STAFF_TOKEN not in proof


def test_of_nobody_there_is_no_proof(visitor: FlaskClient) -> None:
    assert visitor.get(f"/proof/{'0' * 32}").status_code == 404


def test_the_tour_leads_to_the_form_for_ones_own_site(around: Around, visitor: FlaskClient) -> None:
    assert f'href="{around.service.url}/embed?locale=en"' in look(visitor).html


def test_the_tour_is_told_in_german(around: Around) -> None:
    visitor = around.visitor()
    visitor.get("/?locale=de")

    page = press(visitor, "sign-up", email="auf-deutsch@example.com")

    assert "Die E-Mail ist angekommen. Mailchimp kennt diese Adresse nicht" in page.text
    (letter,) = around.mailbox.letters_to("auf-deutsch@example.com")
    assert letter.message["Subject"] == "Bitte bestätigen Sie Ihre Newsletter-Anmeldung"
