"""A person is found by address or number, shown in plain words, and helped; each look is recorded."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import problem
from tests.conftest import ClientWith, Clock, Drain, Join, both_databases
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF_TOKEN,
    access,
    ask_staff,
    events_of,
    press,
    sign_up,
    standing_of,
    status_of,
)
from tests.web.callers import BROWSER
from tests.web.desk.visitor import Visitor

UNKNOWN = "0" * 32
SHOWN = "Ada@example.org"  #: a domain is kept in small letters


def reference_of(client: FlaskClient, email: str = ADA) -> str:
    return str(access(client, email)["reference"])


def looks_of(client: FlaskClient, email: str = ADA) -> list[str]:
    return [e["actor"] for e in access(client, email)["events"] if e["event"] == "viewed"]


@pytest.fixture
def ada(staff: Visitor, join: Join, client: FlaskClient) -> str:
    """Ada has confirmed; the path of her page."""
    join(ADA)
    return f"/desk/people/{reference_of(client)}"


@pytest.mark.parametrize("spelling", [ADA, ADA.lower(), f"  {ADA}\n"])
def test_a_person_is_found_by_address(staff: Visitor, ada: str, spelling: str) -> None:
    staff.opens("/desk/people")

    answer = staff.sends("/desk/people", who=spelling)
    assert (answer.status_code, answer.headers["Location"]) == (303, ada)


def test_a_person_is_found_by_reference_number(staff: Visitor, ada: str) -> None:
    staff.opens("/desk/people")
    number = ada.rpartition("/")[2]

    for spelling in (number, number.upper(), f" {number[:16]} {number[16:]} "):
        assert staff.sends("/desk/people", who=spelling).headers["Location"] == ada


def test_an_erased_person_is_found_by_either_number_and_while_it_is_open_by_address(
    staff: Visitor, ada: str, client: FlaskClient, drain: Drain
) -> None:
    erasure = ask_staff(client, "erasures", ADA).get_json()["id"]
    path = f"/desk/erasures/{erasure}"
    staff.opens("/desk/people")

    for who in (erasure, ada.rpartition("/")[2], ADA):
        assert staff.sends("/desk/people", who=who).headers["Location"] == path
    drain()
    assert "/desk/inquiries/" in staff.sends("/desk/people", who=ADA).headers["Location"]


@pytest.mark.parametrize(
    ("who", "status"),
    [(UNKNOWN, 200), ("x", 200), ("", 200), ("@", 422)],
)
def test_nobody_is_found_where_nobody_is_known(staff: Visitor, who: str, status: int) -> None:
    staff.opens("/desk/people")

    answer = staff.sends("/desk/people", who=who)
    assert answer.status_code == status
    assert ("niemand bekannt" in answer.text) == (status == 200)


def test_nobody_is_found_by_a_url_with_an_address(staff: Visitor, ada: str) -> None:
    staff.opens(f"/desk/people?who={ADA}")
    staff.opens(f"/desk/people/{ADA}", status=404)


def test_their_story_is_told_in_plain_words(staff: Visitor, ada: str) -> None:
    page = staff.opens(f"{ada}?locale=en")

    assert f"<h1>{SHOWN}</h1>" in page
    for words in ("signed up", "e-mail sent", "confirmed", "at Mailchimp: subscribed"):
        assert words in page


def test_each_look_is_recorded_under_the_tokens_name(
    staff: Visitor, ada: str, client: FlaskClient
) -> None:
    before = len(looks_of(client))
    for path in (ada, f"{ada}/access", f"{ada}/access?as=json", f"{ada}/proof"):
        staff.opens(path)

    assert looks_of(client)[before:-1] == ["dpo"] * 4


def test_looks_in_a_row_are_one_line_of_the_story(staff: Visitor, ada: str) -> None:
    for _ in range(2):
        staff.opens(ada)
    page = staff.opens(f"{ada}?locale=en")

    assert page.count("viewed") == 1
    assert re.search(r"viewed \(dpo\),\s+\d times", page)


def test_why_mailchimp_refused_somebody_is_explained_and_mended(
    staff: Visitor, client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    press(client, mailbox, ADA)
    mailchimp.answer_next(problem(400, "Invalid Resource", "ada@example.org looks fake or invalid"))
    drain()
    staff.opens("/desk/people?locale=en")
    page = staff.presses("/desk/people", who=ADA)
    assert "Mailchimp takes the address for wrong." in page

    path = re.search(r'action="(/desk/waiting/people/[^"]+)"', page)
    assert path
    page = staff.presses(path[1], action="person")
    assert f"<h1>{SHOWN}</h1>" in page
    assert "It is tried at once." in page
    drain()
    assert standing_of(mailchimp, ADA) == "subscribed"


def test_the_access_document_is_in_the_persons_language_and_saved_as_json(
    staff: Visitor, ada: str, client: FlaskClient
) -> None:
    staff.opens("/desk?locale=en")
    page = staff.opens(f"{ada}/access")
    assert '<h1 lang="de">Auskunft nach Art. 15 DSGVO</h1>' in page
    assert "Save as a file (JSON)" in page

    link = re.search(r'href="(\S+as=json)"', page)
    assert link
    answer = staff.client.get(link[1])
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert json.loads(answer.text)["email"] == SHOWN
    assert "<h1>Today</h1>" in staff.opens("/desk")


def test_the_proof_is_a_page_to_print(staff: Visitor, ada: str) -> None:
    assert "Nachweis einer Einwilligung" in staff.opens(f"{ada}/proof")


@both_databases
def test_staff_block_and_unblock(staff: Visitor, ada: str, client: FlaskClient) -> None:
    assert "Diese Person sperren?" in staff.opens(f"{ada}/block")
    assert status_of(client, ADA) == "confirmed"

    assert "Gesperrt." in staff.presses(f"{ada}/block", reason="staff")
    assert access(client, ADA)["reason"] == "staff"
    assert "Nichts geändert" in staff.presses(f"{ada}/block", reason="unsubscribed")
    staff.opens(f"{ada}/unblock")
    assert "Sperre aufgehoben" in staff.presses(f"{ada}/unblock")
    assert access(client, ADA)["reason"] == "unsubscribed"


def test_staff_restrict_and_release(staff: Visitor, ada: str, client: FlaskClient) -> None:
    staff.opens(f"{ada}/restrict")
    assert "eingeschränkt (Art. 18 DSGVO)" in staff.presses(f"{ada}/restrict")
    assert access(client, ADA)["hold"] is True

    staff.opens(f"{ada}/release")
    assert "Einschränkung beendet" in staff.presses(f"{ada}/release")
    assert events_of(client, ADA)[-2:] == ["held", "released"]


def test_staff_correct_an_address_and_are_named_in_the_ledger(
    staff: Visitor, ada: str, mailbox: Mailbox, drain: Drain
) -> None:
    staff.opens(f"{ada}/correct")
    refused = staff.sends(f"{ada}/correct", new_email="hedy@localhost")
    assert refused.status_code == 422
    assert 'value="hedy@localhost"' in refused.text

    staff.presses(f"{ada}/correct", new_email=HEDY)
    drain()
    assert len(mailbox.letters_to(HEDY)) == 1
    actors = {e["event"]: e.get("actor") for e in access(staff.client, ADA)["events"]}
    assert actors["rectified"] == "dpo"


def test_a_correction_that_cannot_be_says_why(
    staff: Visitor, ada: str, client: FlaskClient
) -> None:
    ask_staff(client, "blocks", GRACE, reason="staff")
    staff.opens(f"{ada}/correct")

    assert staff.sends(f"{ada}/correct", new_email=GRACE).status_code == 422


@both_databases
def test_staff_erase_and_hand_over_the_receipt_a_month_later(
    clock: Clock, staff: Visitor, ada: str, client: FlaskClient, drain: Drain, mailchimp: StandIn
) -> None:
    assert "Diese Person löschen?" in staff.opens(f"{ada}/erase")
    page = staff.presses(f"{ada}/erase")
    assert "Hier ist alles gelöscht." in page
    assert "sobald alles erledigt ist" in staff.opens(f"/desk/erasures/{ada.rpartition('/')[2]}")
    assert "example.org" not in page
    assert status_of(client, ADA) == "erasing"
    drain()
    assert standing_of(mailchimp, ADA) is None

    clock.shift(timedelta(days=30))
    drain()
    staff.signs_in()
    reference = ada.rpartition("/")[2]
    staff.opens("/desk/people")
    page = staff.presses("/desk/people", who=reference)
    found = re.search(r'href="(/desk/erasures/[^"]+/receipt)"', page)
    assert found
    assert staff.client.get(found[1]).get_json()["reference"] == reference
    assert reference in staff.opens("/desk/erasures")


def test_who_had_it_deleted_is_said_in_words(
    staff: Visitor, client: FlaskClient, path: str
) -> None:
    client.post(path, data={"action": "erase"}, headers=BROWSER)

    assert "· durch die Person" in staff.opens("/desk/erasures")


def test_erasing_keeps_the_block_that_is_asked_for(
    staff: Visitor, ada: str, client: FlaskClient
) -> None:
    staff.opens(f"{ada}/erase")
    staff.presses(f"{ada}/erase", keep_block="1")

    assert status_of(client, ADA) == "blocked"


def test_a_block_without_an_address_is_shown_and_ended(
    staff: Visitor, client: FlaskClient, drain: Drain
) -> None:
    ask_staff(client, "blocks", ADA, reason="staff")
    drain()
    path = f"/desk/people/{reference_of(client)}"

    assert "Adresse nicht mehr gespeichert" in staff.opens(path)
    staff.opens(f"{path}/correct")
    assert staff.sends(f"{path}/correct", new_email=HEDY).status_code == 422
    staff.presses(f"{path}/unblock")
    staff.opens(f"{path}/erase")
    staff.presses(f"{path}/erase")
    assert status_of(client, ADA) == "unknown"


def test_asking_names_the_address_and_changes_nothing(
    staff: Visitor, ada: str, client: FlaskClient
) -> None:
    before = events_of(client, ADA)
    for act in ("block", "unblock", "restrict", "release", "correct", "erase"):
        assert f"<strong>{SHOWN}</strong>" in staff.opens(f"{ada}/{act}")

    assert events_of(client, ADA) == before


@pytest.mark.parametrize("path", ["", "/access", "/proof", "/block"])
def test_somebody_who_is_gone_is_not_found(staff: Visitor, path: str) -> None:
    staff.opens("/desk")
    if path == "/block":
        assert staff.sends(f"/desk/people/{UNKNOWN}{path}", reason="staff").status_code == 404
    else:
        staff.opens(f"/desk/people/{UNKNOWN}{path}", status=404)


def test_another_act_or_reason_is_none(staff: Visitor, ada: str) -> None:
    staff.opens(f"{ada}/promote", status=404)
    assert staff.sends(f"{ada}/promote").status_code == 404
    assert staff.sends(f"{ada}/block", reason="rectified").status_code == 400
    assert staff.sends(f"{ada}/block").status_code == 400


def test_who_only_sees_sees_and_changes_nothing(client_with: ClientWith) -> None:
    tokens = f"dpo:{STAFF_TOKEN},support:a-token-that-only-sees:read"
    client = client_with(ADMIN_TOKENS=tokens)
    sign_up(client, ADA)
    reference = reference_of(client)
    visitor = Visitor(client)
    visitor.signs_in("a-token-that-only-sees")

    page = visitor.opens(f"/desk/people/{reference}")
    assert SHOWN in page
    assert "Was Sie tun können" not in page
    for act in ("block", "unblock", "restrict", "release", "correct", "erase"):
        visitor.opens(f"/desk/people/{reference}/{act}", status=403)
        assert visitor.sends(f"/desk/people/{reference}/{act}", reason="staff").status_code == 403
    assert status_of(client, ADA) == "pending"


def test_a_corrected_person_is_shown_with_both_addresses(
    staff: Visitor, ada: str, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    ask_staff(client, "rectifications", ADA, new_email=HEDY)
    drain()
    press(client, mailbox, HEDY)

    page = staff.opens(ada)
    assert HEDY in page
    assert "Adresse berichtigt" in page
