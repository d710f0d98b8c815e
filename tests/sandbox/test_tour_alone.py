"""The tour without the service, and what on its page goes elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.pages import create_pages
from sandbox.tour.service import Service
from tests.sandbox.tour import look, press

BUTTONS = ["sign-up", "confirm", "unsubscribe-there", "leave-by-link", "erase", "follow", "anew"]


@pytest.fixture
def secrets_file(tmp_path: Path) -> Path:
    file = tmp_path / "with a space" / "sandbox.env"
    file.parent.mkdir()
    file.write_text("SECRET_KEY=x\nADMIN_TOKENS=admin:token-of-staff\n")
    return file


@pytest.fixture
def visitor(mailchimp: StandIn, mailbox: Mailbox, secrets_file: Path) -> FlaskClient:
    service = Service("http://127.0.0.1:1", "token-of-staff", secrets_file)
    return create_pages(mailchimp, mailbox, service).test_client()


def test_a_service_that_is_stopped_is_said_to_be_so(visitor: FlaskClient) -> None:
    assert "The service does not answer" in look(visitor).text


def test_a_stopped_service_is_asked_again_by_itself(visitor: FlaskClient) -> None:
    assert look(visitor).looks_again


def test_a_button_that_reaches_nobody_says_so(visitor: FlaskClient) -> None:
    page = press(visitor, "sign-up", email="ada@example.com")

    assert "Nothing changed. The service did not answer" in page.text


@pytest.mark.parametrize("button", BUTTONS)
def test_another_site_cannot_press_a_button(visitor: FlaskClient, button: str) -> None:
    headers = {"Sec-Fetch-Site": "same-site"}

    assert visitor.post(f"/tour/{button}", headers=headers).status_code == 403


@pytest.mark.parametrize("button", BUTTONS)
def test_a_link_presses_no_button(visitor: FlaskClient, button: str) -> None:
    assert visitor.get(f"/tour/{button}").status_code == 405


@pytest.mark.parametrize("email", ["ada@example.com", "o'neill@example.com", "$(x)`y`@example.com"])
def test_the_admin_call_can_be_pasted_whatever_the_address(
    visitor: FlaskClient, email: str
) -> None:
    page = press(visitor, "follow", email=email)
    line = page.text[page.text.index("curl -sS http://127.0.0.1:1/admin/access") :]
    line = line.partition(" Delete ")[0].replace("\\ ", "")

    said = subprocess.run(
        ["sh", "-c", f"curl() {{ printf '%s\\n' \"$@\"; }}; python3() {{ cat; }}; {line}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.splitlines() == [
        "-sS",
        "http://127.0.0.1:1/admin/access",
        "-d",
        f'{{"email": "{email}"}}',
        "-H",
        "Content-Type: application/json",
        "-H",
        "Authorization: Bearer token-of-staff",
    ]


def test_an_answer_is_shown_with_its_umlauts(visitor: FlaskClient) -> None:
    command = re.search(r"\| (python3 -m json\.tool[^|<]*?) (?=Delete )", look(visitor).text)
    assert command is not None

    said = subprocess.run(
        ["sh", "-c", command[1]],
        input='{"name": "S\\u00f6hne"}',
        capture_output=True,
        encoding="utf-8",
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
        check=True,
    )

    assert said.stdout == '{\n    "name": "Söhne"\n}\n'


def test_an_address_that_mailchimp_has_forgotten_is_not_suggested(
    visitor: FlaskClient, mailchimp: StandIn
) -> None:
    mailchimp.forgotten.add("ada@example.com")

    assert look(visitor).button("sign-up").fields["email"] == "grace@example.com"
