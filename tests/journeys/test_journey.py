"""The whole journey through real processes: sign up, confirm, stand at Mailchimp, leave there, be erased."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import IS_LONG, both_databases, on_postgresql
from tests.journeys.service import Service, running, wait_until
from tests.people import ADA, STAFF, WEBHOOK_SECRET, link_in

CROWD = [f"person-{number}@example.com" for number in range(120 if IS_LONG else 40)]


def letters_to(mailbox: Mailbox, email: str) -> int:
    return len(mailbox.letters_to(email))


def confirm_all(service: Service, mailbox: Mailbox, people: list[str]) -> list[int]:
    links = [link_in(mailbox.letters_to(person)[0].message) for person in people]
    with ThreadPoolExecutor(16) as crowd:
        answers = crowd.map(lambda pair: service.press(pair[1], pair[0]), enumerate(links))
        return [answer.status_code for answer in answers]


@both_databases
def test_a_crowd_gets_one_letter_each_and_stands_at_mailchimp_once(
    environ: dict[str, Any], tmp_path: Path, mailbox: Mailbox, mailchimp: StandIn
) -> None:
    with running(environ, tmp_path, webs=2, workers=3) as service:
        with ThreadPoolExecutor(16) as crowd:
            answers = list(crowd.map(service.sign_up, CROWD, range(len(CROWD))))
        assert Counter(answers) == {202: len(CROWD)}
        assert mailbox.wait_for(len(CROWD))

        assert Counter(confirm_all(service, mailbox, CROWD)) == {200: len(CROWD)}
        wait_until(lambda: len(mailchimp.contacts) == len(CROWD), "all stand at Mailchimp")
        wait_until(lambda: service.events_of(CROWD[0])[-1] == "synced", "it is acknowledged")

        assert Counter(letters_to(mailbox, person) for person in CROWD) == {1: len(CROWD)}
        assert added(mailchimp) == Counter(person.lower() for person in CROWD)
        assert {contact.status for contact in mailchimp.contacts.values()} == {"subscribed"}


def added(mailchimp: StandIn) -> Counter[str]:
    """How often each was added, alone or together with others."""
    bodies = [call.body for call in mailchimp.calls if call.method in ("PUT", "POST") and call.body]
    members = [member for body in bodies for member in body.get("members", [body])]
    return Counter(str(member["email_address"]).lower() for member in members)


@pytest.mark.requires("R10")
@on_postgresql  # on SQLite, people do the same in a browser
def test_a_person_signs_up_confirms_leaves_at_mailchimp_and_is_erased(
    environ: dict[str, Any], tmp_path: Path, mailbox: Mailbox, mailchimp: StandIn
) -> None:
    with running(environ, tmp_path) as service:
        mailchimp.webhook_url = service.url(f"/webhooks/mailchimp/{WEBHOOK_SECRET}")
        assert service.sign_up(ADA) == 202
        assert mailbox.wait_for(1)
        assert not mailchimp.contacts

        answer = service.press(link_in(mailbox.letters[0].message)).json()
        assert answer["status"] == "confirmed"
        wait_until(lambda: ADA.lower() in mailchimp.contacts, "Ada stands at Mailchimp")
        wait_until(lambda: "synced" in service.events_of(ADA), "it is acknowledged")

        mailchimp.unsubscribes(ADA)
        wait_until(lambda: service.status_of(ADA) == "blocked", "Ada is blocked here")

        erasure = service.staff("erasures", ADA)
        assert erasure.status_code == 202
        wait_until(
            lambda: _is_erased_everywhere(service, erasure.headers["Location"]), "Ada is forgotten"
        )
        assert service.status_of(ADA) == "unknown"
        assert ADA.lower() in mailchimp.forgotten


def _is_erased_everywhere(service: Service, location: str) -> bool:
    path = "/admin/" + location.split("/admin/", 1)[1]
    answer = service.http.get(service.url(path), headers=STAFF)
    return str(answer.json()["status"]) == "completed"


@pytest.mark.requires("R13")
@both_databases
def test_twelve_sign_ups_at_once_are_one_request_and_eight_clicks_one_confirmation(
    environ: dict[str, Any], tmp_path: Path, mailbox: Mailbox
) -> None:
    with running(environ, tmp_path, webs=2, workers=2) as service, ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(service.sign_up, [ADA] * 12, range(12)))
        assert answers == [202] * 12
        assert mailbox.wait_for(1)

        link = link_in(mailbox.letters[0].message)
        pressed = list(crowd.map(service.press, [link] * 8, range(8)))
        assert [answer.status_code for answer in pressed] == [200] * 8
        assert {answer.json()["status"] for answer in pressed} == {"confirmed"}

        wait_until(lambda: "mail_sent" in service.events_of(ADA), "the letter is in the record")
        events = Counter(service.events_of(ADA))
        assert (events["signup"], events["mail_sent"], events["confirmed"]) == (1, 1, 1)
        assert len(mailbox.letters) == 1


@pytest.mark.parametrize("round_", range(3 if IS_LONG else 1))
def test_what_was_accepted_survives_kill_9_at_any_moment(
    environ: dict[str, Any], tmp_path: Path, mailbox: Mailbox, round_: int
) -> None:
    with running(environ, tmp_path, workers=2) as service, ThreadPoolExecutor(8) as crowd:
        asked = [crowd.submit(service.sign_up, person) for person in CROWD[: len(CROWD) // 2]]
        mailbox.wait_for(5 * (1 + round_))
        for process in service.processes[1:]:
            process.kill()
        accepted = [
            person
            for person, future in zip(CROWD, asked, strict=False)
            if future.exception() is None and future.result() == 202
        ]
        assert accepted

        service.start_worker()
        wait_until(
            lambda: all(letters_to(mailbox, person) for person in accepted),
            "everybody who was told 202 has a letter",
        )
        again = Counter(letters_to(mailbox, person) for person in accepted)
        # Letters may go out twice whose process died between the server's yes and our commit.
        assert set(again) <= {1, 2}


@both_databases
def test_several_hosts_release_at_once(environ: dict[str, Any], tmp_path: Path) -> None:
    with Service(environ, tmp_path) as service:
        releases = [service.start("release") for _ in range(3)]

        assert [release.wait() for release in releases] == [0] * 3, service.logs()
