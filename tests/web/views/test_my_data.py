"""The link to a person's data: the page, its actions, and who cannot open it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.domain import clock as our_clock
from newsletter.subscriptions import links as tokens
from newsletter.subscriptions.links import Link, Purpose
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import Clock, Drain, Join, PathOf
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    JSON,
    access,
    ask_staff,
    confirm,
    events_of,
    link_in,
    press,
    said_by,
    sign_up,
    status_of,
)
from tests.web.callers import BROWSER, statuses_of
from tests.web.conftest import Stored
from tests.web.snippets import Document, Element

PAUSE, HOUR, SECOND = timedelta(minutes=10), timedelta(hours=1), timedelta(seconds=1)

pytestmark = pytest.mark.usefixtures("clock")


def act(client: FlaskClient, path: str, action: str, **fields: Any) -> int:
    return client.post(path, json={"action": action, **fields}).status_code


# Seeing


@pytest.mark.requires("R59")
def test_the_page_shows_all_stored_data(client: FlaskClient, path: str) -> None:
    page = client.get(path, headers=BROWSER)

    assert (page.status_code, page.mimetype) == (200, "text/html")
    for told in (
        "Ada@example.org",
        access(client, ADA)["reference"],
        "neuen Werkzeugen für Tischler",
        "Mailchimp (The Rocket Science Group LLC, USA)",
        "Beschwerde bei einer Aufsichtsbehörde",
        "Standardvertragsklauseln (Art. 46 DSGVO)",
        "1. März 2026, 13:00 Uhr (MEZ)",
        "/unsubscribe/",
    ):
        assert told in page.text


def test_events_are_shown_in_words(client: FlaskClient, path: str, drain: Drain) -> None:
    act(client, path, "download")
    act(client, path, "rectify", new_email=GRACE)
    act(client, path, "unsubscribe")
    drain()

    page = client.get(path, headers=BROWSER).text

    for told in (
        "eingesehen (von Ihnen selbst)",
        "Berichtigung der Adresse verlangt (von Ihnen selbst)",
        "gesperrt: abgemeldet (von Ihnen selbst)",
        "bei Mailchimp: abgemeldet",
        "1. März 2026, 13:00:00 Uhr (MEZ)",
    ):
        assert told in page


def test_the_page_names_the_right_to_object(client: FlaskClient, path: str) -> None:
    page = client.get(path, headers=BROWSER).text

    assert "Widerspruch gegen Verarbeitungen, die auf Art. 6 Abs. 1 lit. f DSGVO beruhen" in page


def test_the_page_is_in_the_language_of_the_email(
    client: FlaskClient, drain: Drain, path_of: PathOf
) -> None:
    sign_up(client, ADA, locale="en")

    page = client.get(path_of(), headers=BROWSER).text

    assert '<html lang="en">' in page
    assert "What has happened" in page


def test_the_consent_text_is_marked_with_its_own_language(client: FlaskClient, path: str) -> None:
    page = Document(client.get(f"{path}?locale=en", headers=BROWSER).text)

    assert page.one("html").attributes["lang"] == "en"
    assert page.one("blockquote").attributes["lang"] == "de"


def test_what_people_come_for_stands_before_what_is_only_to_be_read(
    client: FlaskClient, path: str
) -> None:
    page = Document(client.get(path, headers=BROWSER).text)

    record = page.one("details")
    assert [part.words for part in page.named("h2") if record not in part.within] == [
        "Vom Newsletter abmelden",
        "Adresse berichtigen",
        "Daten herunterladen",
        "Alles löschen",
    ]
    buttons = [each for each in page.named("button") if "header" not in outer_names(each)]
    assert [each.words for each in buttons if "class" not in each.attributes] == ["Jetzt abmelden"]
    assert page.elements.index(record) > page.elements.index(buttons[-1])
    assert "open" not in record.attributes


def test_at_its_top_it_says_whose_data_it_is_and_where_they_stand(
    client: FlaskClient, path: str
) -> None:
    page = Document(client.get(path, headers=BROWSER).text)

    (first, *_) = page.named("dl")
    told = [each.words for each in page.named("dd") if first in each.within]
    assert told[:2] == ["Ada@example.org", "bestätigt"]


def outer_names(element: Element) -> list[str]:
    return [outer.name for outer in element.within]


def test_opening_it_changes_nothing_and_is_not_recorded(
    client: FlaskClient, path: str, stored: Stored
) -> None:
    before = stored()

    assert statuses_of(client, path) == {200}

    assert stored() == before


def test_the_json_answer_is_the_access_export_of_staff(client: FlaskClient, path: str) -> None:
    mine, held = said_by(client.get(path, headers=JSON)), access(client, ADA)

    assert mine["email"] == held["email"]
    assert mine.keys() == held.keys() - {"related"}


def test_it_holds_for_an_hour(client: FlaskClient, path: str, clock: Clock) -> None:
    clock.shift(HOUR - SECOND)
    assert client.get(path).status_code == 200
    clock.shift(SECOND)

    answer = client.get(path)

    assert answer.status_code == 410
    assert said_by(answer)["type"].endswith("/problems#expired-link")
    assert "http://localhost:8000/my-data" in said_by(answer)["detail"]


def test_after_its_hour_nothing_can_be_done(client: FlaskClient, path: str, clock: Clock) -> None:
    clock.shift(HOUR)

    for action in ("download", "unsubscribe", "rectify", "erase", "lift"):
        assert act(client, path, action, new_email=GRACE) == 410
    assert status_of(client, ADA) == "confirmed"


def test_after_an_erasure_it_leads_nowhere_even_if_they_sign_up_again(
    client: FlaskClient, path: str
) -> None:
    ask_staff(client, "erasures", ADA)
    sign_up(client, ADA)

    page = client.get(path, headers=BROWSER)

    assert (page.status_code, page.mimetype) == (410, "text/html")
    assert 'href="/my-data?locale=' in page.text


def test_it_holds_in_every_round(client: FlaskClient, path: str, join: Join) -> None:
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    join(ADA)

    assert client.get(path).status_code == 200


def test_no_other_link_opens_it(client: FlaskClient, mailbox: Mailbox, join: Join) -> None:
    join(ADA)
    for purpose in ("confirm", "not-me"):
        token = link_in(mailbox.letters_to(ADA)[0].message, purpose).rpartition("/")[2]
        assert client.get(f"/my-data/{token}").status_code == 404
        assert client.post(f"/my-data/{token}", json={"action": "erase"}).status_code == 404


def test_a_request_that_is_over_is_not_shown(
    client: FlaskClient, path_of: PathOf, clock: Clock, app: Flask
) -> None:
    sign_up(client, ADA)
    reference = access(client, ADA)["reference"]
    clock.shift(timedelta(days=7))
    with app.app_context():
        url = tokens.url_for(Purpose.MY_DATA, Link(reference, written_at=our_clock.now()))

    assert client.get(url.removeprefix("http://localhost:8000")).status_code == 410


# Taking along


@pytest.mark.requires("R59")
def test_the_download_is_a_file_and_is_recorded(client: FlaskClient, path: str) -> None:
    answer = client.post(path, data={"action": "download"}, headers=BROWSER)

    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert json.loads(answer.data)["email"] == "Ada@example.org"
    viewed = [it["actor"] for it in access(client, ADA)["events"] if it["event"] == "viewed"]
    assert viewed[-2:] == ["person", "dpo"]


# Leaving


def test_unsubscribing_blocks_and_redirects_to_the_page(
    client: FlaskClient, mailchimp: StandIn, path: str, drain: Drain
) -> None:
    answer = client.post(path, data={"action": "unsubscribe"}, headers=BROWSER)
    drain()

    assert answer.status_code == 303
    page = client.get(answer.location, headers=BROWSER).text
    assert "Sie sind abgemeldet" in page
    assert "Jetzt abmelden" not in page
    assert access(client, ADA)["reason"] == "unsubscribed"
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"


def test_unsubscribing_again_is_the_same_success(client: FlaskClient, path: str) -> None:
    assert [act(client, path, "unsubscribe") for _ in range(2)] == [200, 200]
    assert events_of(client, ADA).count("blocked") == 1


# Correcting


def test_a_correction_asks_the_new_address_and_takes_effect_with_its_confirmation(
    client: FlaskClient, mailbox: Mailbox, path: str, drain: Drain
) -> None:
    assert act(client, path, "rectify", new_email=GRACE) == 200
    drain()
    assert (status_of(client, ADA), status_of(client, GRACE)) == ("confirmed", "pending")

    press(client, mailbox, GRACE)

    assert (access(client, ADA)["reason"], status_of(client, GRACE)) == ("rectified", "confirmed")
    [rectified] = [it for it in access(client, ADA)["events"] if it["event"] == "rectified"]
    assert rectified["actor"] == "person"


def test_a_form_that_corrects_leads_back_to_the_page(client: FlaskClient, path: str) -> None:
    answer = client.post(path, data={"action": "rectify", "new_email": GRACE}, headers=BROWSER)

    assert answer.status_code == 303
    assert (
        "Wir senden eine Bestätigungsmail an die neue Adresse"
        in client.get(answer.location, headers=BROWSER).text
    )


def test_a_mistake_in_the_new_address_is_shown_at_its_field(client: FlaskClient, path: str) -> None:
    page = client.post(path, data={"action": "rectify", "new_email": "grace"}, headers=BROWSER)

    assert page.status_code == 422
    assert 'value="grace"' in page.text
    assert act(client, path, "rectify", new_email="grace") == 422
    assert act(client, path, "rectify") == 422


@pytest.fixture(params=["confirmed", "blocked", "held", "written to just now"])
def stands(
    request: pytest.FixtureRequest, client: FlaskClient, join: Join, path: str, clock: Clock
) -> str:
    """Grace, whom Ada has nothing to do with, stands where she is not asked."""
    if request.param == "confirmed":
        join(GRACE)
    else:
        sign_up(client, GRACE)
    if request.param != "written to just now":
        clock.shift(PAUSE)
    if request.param == "blocked":
        ask_staff(client, "blocks", GRACE, reason="complaint")
    if request.param == "held":
        ask_staff(client, "holds", GRACE, hold=True)
    return str(request.param)


def test_a_correction_does_not_reveal_the_status_of_the_new_address(
    client: FlaskClient, path: str, stands: str
) -> None:
    told = []
    for new in (HEDY, GRACE):  # Hedy is nobody yet
        answer = client.post(path, json={"action": "rectify", "new_email": new})
        held = access(client, ADA)
        happened = [(it["event"], it.get("actor")) for it in held["events"]][-2]
        told.append((answer.status_code, answer.data, held["status"], held["reason"], happened))

    assert told[0] == told[1]
    assert told[0][0] == 200


def test_a_correction_without_an_email_changes_nothing(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, path: str, stands: str
) -> None:
    drain()
    before, letters = access(client, GRACE), len(mailbox.letters)

    act(client, path, "rectify", new_email=GRACE)
    drain()

    after = access(client, GRACE)
    assert (after["status"], after["related"]) == (before["status"], [])
    assert [it["event"] for it in after["events"][:-1]] == [it["event"] for it in before["events"]]
    assert (status_of(client, ADA), len(mailbox.letters)) == ("confirmed", letters)


def test_an_earlier_email_confirms_only_the_new_address(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, path: str, clock: Clock
) -> None:
    sign_up(client, GRACE)
    drain()
    own = mailbox.letters_to(GRACE)[0].message
    clock.shift(PAUSE)
    act(client, path, "rectify", new_email=GRACE)

    assert confirm(client, own).status_code == 200

    assert (status_of(client, ADA), status_of(client, GRACE)) == ("confirmed", "confirmed")
    assert access(client, ADA)["related"] == []
    ask_staff(client, "erasures", ADA)
    assert status_of(client, GRACE) == "confirmed"


def test_an_own_sign_up_after_a_correction_without_an_email_replaces_nobody(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, path: str, clock: Clock
) -> None:
    sign_up(client, GRACE)
    act(client, path, "rectify", new_email=GRACE)
    clock.shift(PAUSE)
    sign_up(client, GRACE)
    drain()

    press(client, mailbox, GRACE)

    assert (status_of(client, ADA), status_of(client, GRACE)) == ("confirmed", "confirmed")


def test_the_email_of_the_correction_replaces_even_after_an_own_sign_up(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, path: str, clock: Clock
) -> None:
    sign_up(client, GRACE)
    clock.shift(PAUSE)
    act(client, path, "rectify", new_email=GRACE)
    drain()

    press(client, mailbox, GRACE)

    assert (access(client, ADA)["reason"], status_of(client, GRACE)) == ("rectified", "confirmed")


def test_the_email_of_one_correction_does_not_confirm_a_later_one(
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    join: Join,
    path: str,
    path_of: PathOf,
    clock: Clock,
) -> None:
    join(HEDY)
    act(client, path, "rectify", new_email=GRACE)
    drain()
    first = mailbox.letters_to(GRACE)[0].message
    clock.shift(PAUSE)
    act(client, path_of(HEDY), "rectify", new_email=GRACE)

    confirm(client, first)

    assert [status_of(client, person) for person in (ADA, HEDY, GRACE)] == ["confirmed"] * 3
    assert access(client, GRACE)["related"] == []


def test_a_correction_by_staff_is_not_replaced_by_another_persons(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, join: Join, path: str, clock: Clock
) -> None:
    join(HEDY)
    ask_staff(client, "rectifications", HEDY, new_email=GRACE)
    clock.shift(PAUSE)
    act(client, path, "rectify", new_email=GRACE)
    drain()

    press(client, mailbox, GRACE)

    assert (access(client, HEDY)["reason"], status_of(client, ADA)) == ("rectified", "confirmed")


def test_an_unsubscribed_person_cannot_correct(client: FlaskClient, path: str) -> None:
    act(client, path, "unsubscribe")

    assert act(client, path, "rectify", new_email=GRACE) == 409


def test_a_correction_shows_and_erases_nothing_of_a_stranger(
    client: FlaskClient, join: Join, path: str, path_of: PathOf, clock: Clock
) -> None:
    join(GRACE)
    ask_staff(client, "blocks", GRACE, reason="unsubscribed")
    reference = access(client, GRACE)["reference"]
    act(client, path, "rectify", new_email=GRACE)

    assert GRACE not in client.get(path, headers=BROWSER).text
    assert reference not in client.post(path, json={"action": "download"}).text
    assert access(client, ADA)["related"] == []
    act(client, path, "erase")

    assert (status_of(client, ADA), status_of(client, GRACE)) == ("erasing", "returning")


def test_staff_see_both_addresses_once_the_correction_is_confirmed(
    client: FlaskClient, mailbox: Mailbox, path: str, drain: Drain
) -> None:
    act(client, path, "rectify", new_email=GRACE)
    drain()
    press(client, mailbox, GRACE)

    assert [it["email"] for it in access(client, GRACE)["related"]] == ["Ada@example.org"]


# Restricted


@pytest.mark.parametrize("action", ["unsubscribe", "erase"])
def test_a_restricted_person_can_unsubscribe_and_erase(
    client: FlaskClient, path: str, action: str
) -> None:
    ask_staff(client, "holds", ADA, hold=True)

    assert act(client, path, action) == 200
    assert status_of(client, ADA) in ("blocked", "erasing")


# Unblocking


@pytest.fixture
def disowned(client: FlaskClient, mailbox: Mailbox, drain: Drain) -> None:
    """Somebody at Ada's mailbox said that it was not them, and never again."""
    sign_up(client, ADA)
    drain()
    client.post(link_in(mailbox.letters_to(ADA)[0].message, "not-me"), json={"block": True})


@pytest.mark.usefixtures("disowned")
def test_the_owner_can_unblock_after_not_me_and_sign_up_again(
    client: FlaskClient, path_of: PathOf, clock: Clock
) -> None:
    path = path_of()
    first, *_ = Document(client.get(path, headers=BROWSER).text).named("h2")
    assert first.words == "Sperre aufheben"

    answer = client.post(path, data={"action": "lift"}, headers=BROWSER)

    assert "wieder anmelden" in client.get(answer.location, headers=BROWSER).text
    assert (access(client, ADA)["reason"], events_of(client, ADA)[-1]) == ("unsubscribed", "lifted")
    assert act(client, path, "lift") == 200
    clock.shift(PAUSE)
    sign_up(client, ADA)
    assert status_of(client, ADA) == "returning"


def test_after_unblocking_the_page_no_longer_says_blocked(
    clock: Clock, client: FlaskClient, disowned: None, path_of: PathOf
) -> None:
    path = path_of()
    clock.shift(PAUSE)

    def told(locale: str) -> dict[str, str]:
        return standing_on(client.get(f"{path}?locale={locale}", headers=BROWSER).text)

    assert told("en")["Status"] == "blocked: no newsletter"
    act(client, path, "lift")

    assert told("en") == {
        "Status": "unblocked, a new sign-up is possible: no newsletter until it is confirmed",
        "Since": "1 March 2026, 13:10 (CET)",
    }
    assert told("de")["Stand"] == (
        "Sperre aufgehoben, neue Anmeldung möglich: kein Newsletter, bis sie bestätigt ist"
    )
    clock.shift(PAUSE)
    sign_up(client, ADA)
    assert told("en") == {
        "Status": "signed up again, not yet confirmed: no newsletter",
        "Since": "1 March 2026, 13:20 (CET)",
    }
    assert told("de")["Stand"] == "neu angemeldet, noch nicht bestätigt: kein Newsletter"
    ask_staff(client, "blocks", ADA, reason="complaint")
    assert told("en")["Status"] == "blocked: no newsletter"
    assert told("en")["Reason"] == "complaint"


def standing_on(page: str) -> dict[str, str]:
    """Where the page says that somebody stands, why and since when."""
    told = dict(re.findall(r"<dt>(.+?)</dt>\s*<dd>(.+?)</dd>", page))
    return {
        name: told[name]
        for name in ("Stand", "Status", "Grund", "Reason", "Seit", "Since")
        if name in told
    }


@pytest.mark.parametrize("reason", ["complaint", "bounce", "staff"])
def test_no_other_hard_block_can_be_ended_there(
    client: FlaskClient, path: str, reason: str
) -> None:
    ask_staff(client, "blocks", ADA, reason=reason)

    assert "Sperre aufheben" not in client.get(path, headers=BROWSER).text
    assert act(client, path, "lift") == 409
    assert access(client, ADA)["reason"] == reason


# The endpoint


def test_an_unknown_action_is_refused(client: FlaskClient, path: str) -> None:
    for body in ({}, {"action": ""}, {"action": "explode"}, {"action": None}):
        assert client.post(path, json=body).status_code == 422


@pytest.mark.requires("R73")
def test_the_page_is_never_cached_framed_or_sent_as_a_referrer(
    client: FlaskClient, path: str
) -> None:
    headers = client.get(path, headers=BROWSER).headers

    assert headers["Cache-Control"] == "no-store, no-transform"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_a_link_that_is_not_ours_is_not_found(any_client: FlaskClient) -> None:
    answer = any_client.get("/my-data/nonsense")
    assert answer.status_code == 404
    assert "http://localhost:8000/my-data" in said_by(answer)["detail"]
    assert any_client.post("/my-data/nonsense", json={"action": "erase"}).status_code == 404
