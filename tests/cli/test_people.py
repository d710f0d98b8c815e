"""The `newsletter` command, as staff use it, and the access export it prints."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from newsletter.cli import main
from sandbox.environment import COMPANY as SANDBOX
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.checkout import command
from tests.commands import Run
from tests.conftest import Clock, Drain, Join, on_postgresql
from tests.patience import PATIENCE
from tests.people import ADA, GRACE, HEDY, ask_staff, confirm, events_of, sign_up, status_of
from tests.people import access as access_by_http

COMMAND = command("newsletter")
#: What makes `check` content: a full imprint, and a place where nothing answers, whatever else runs on this machine.
ORDERLY = {"IMPRINT": SANDBOX["IMPRINT"], "PUBLIC_URL": "http://localhost:9"}
WRONG_KEY = "a-key-that-does-not-open-this-keyring"


@pytest.fixture
def run(run: Run) -> Run:
    """Run a command with an address on its standard input."""
    return partial(run, given=f"{ADA}\n")


@pytest.fixture
def start(environ: dict[str, Any], tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start a command as a process of its own."""

    def start(*words: str, stdin: int = subprocess.PIPE, **variables: str) -> Any:
        return subprocess.Popen(
            [COMMAND, *words],
            env={**environ, **variables},
            cwd=tmp_path,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start


@pytest.fixture
def consent(client: FlaskClient, mailbox: Mailbox, drain: Drain) -> None:
    """Ada has confirmed."""
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)


def said(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert isinstance(answer, dict)
    return answer


def test_the_help_names_every_command() -> None:
    help_ = CliRunner().invoke(main, ["--help"])

    assert help_.exit_code == 0
    for name in main.commands:
        assert f"\n  {name} " in help_.stdout
        assert CliRunner().invoke(main, [name, "-h"]).exit_code == 0


@pytest.mark.parametrize(
    "told",
    ["proof verify ", "ledger verify ", "keys rotate ", "wording withdraw ", "webhook install "],
)
def test_the_help_names_the_commands_of_groups_too(told: str) -> None:
    assert f"\n  {told}" in CliRunner().invoke(main, ["--help"]).stdout


def test_the_help_cuts_no_sentence_short() -> None:
    _, _, commands = CliRunner().invoke(main, ["--help"]).stdout.partition("Commands:")

    assert commands
    assert "..." not in commands
    assert [
        line for line in commands.splitlines() if line and re.search("[^.]$|[(][^)]*$", line)
    ] == []


def test_the_version_is_told() -> None:
    assert "0.1.0" in CliRunner().invoke(main, ["--version"]).stdout


@pytest.mark.parametrize(
    "words",
    [["unheard-of"], ["access", "--verbose"], ["block", "--reason", "not_me"], ["block", "x"]],
)
def test_wrong_usage_is_status_two(run: Run, words: list[str]) -> None:
    assert run(*words).exit_code == 2


@pytest.mark.parametrize("command", ["access", "erase", "block", "lift", "hold", "rectify"])
def test_an_address_among_the_arguments_is_not_taken(
    run: Run, client: FlaskClient, consent: None, command: str
) -> None:
    assert run(command, ADA).exit_code == 2
    assert status_of(client, ADA) == "confirmed"


@pytest.mark.parametrize(
    ("command", "given"),
    [
        *product(["access", "erase", "block", "lift", "hold"], ["garbled\n"]),
        *product(["access"], ["ada@\x07example.com\n", b"ad\xe4@example.org\n"]),
    ],
)
def test_what_is_no_address_is_refused_in_one_line(
    run: Run, command: str, given: str | bytes
) -> None:
    result = run(command, given=given)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "Error: This is not an e-mail address that a letter can be sent to."
    ]


@pytest.mark.parametrize(
    ("command", "given"),
    [
        *product(["erase", "block", "lift", "hold", "rectify", "proof"], [""]),
        *product(["access"], ["", "\n", " \r\n\n"]),
    ],
)
def test_an_empty_input_is_named_in_one_line(run: Run, command: str, given: str) -> None:
    result = run(command, given=given)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: Nothing was given on standard input.\n"


@pytest.mark.parametrize(
    "given", [ADA, f"{ADA}\r\n", f"  {ADA}\n", f"\n{ADA.upper()}\n\n", f"\ufeff{ADA}\n"]
)
def test_blanks_around_an_address_do_not_count(run: Run, consent: None, given: str) -> None:
    assert said(run("access", "--json", given=given))["email"] == "Ada@example.org"


def test_every_line_of_a_list_is_done_and_names_its_result(
    run: Run, client: FlaskClient, join: Join
) -> None:
    join(ADA, HEDY)

    result = run("block", given=f"{ADA}\n\ngarbled\r\n{GRACE}\n{HEDY}\n{ADA}")

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Line 1: Blocked.",
        "Line 5: Blocked.",
        "Line 6: Nothing changed: it is blocked already.",
    ]
    assert result.stderr.splitlines() == [
        "Line 3: Error: This is not an e-mail address that a letter can be sent to.",
        "Line 4: Error: Nobody is known by this address.",
    ]
    assert (status_of(client, ADA), status_of(client, HEDY)) == ("blocked", "blocked")


@pytest.mark.requires("R55")
def test_every_line_of_a_list_is_erased(run: Run, client: FlaskClient, join: Join) -> None:
    join(ADA, HEDY)

    result = run("erase", "--json", "--yes", given=f"{ADA}\n{HEDY}\n")

    assert result.exit_code == 0
    assert result.stdout.count('"status": "pending"') == 2
    assert result.stderr.count("newsletter erase --status") == 2
    assert (status_of(client, ADA), status_of(client, HEDY)) == ("erasing", "erasing")


def test_a_list_stops_at_the_line_where_the_database_is_lost(
    run: Run, consent: None, tmp_path: Path
) -> None:
    result = run("block", given=f"{ADA}\n{GRACE}\n", DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Line 1: Not done, nor any line below it.",
        "Error: DATABASE_URL: the database has no tables yet; run `newsletter release`.",
    ]


def test_access_shows_what_the_admin_door_shows(
    run: Run, client: FlaskClient, consent: None
) -> None:
    by_command, by_http = said(run("access", "--json")), access_by_http(client, ADA)

    assert [event.pop("actor") for event in by_http["events"][-2:]][1] == "dpo"
    assert by_command["events"].pop()["actor"] == "cli"
    assert by_command | {"events": None} == by_http | {"events": None}


def test_no_login_gets_into_the_record(
    run: Run, consent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "grace.hopper")

    shown = run("access", "--json").stdout

    assert '"actor": "cli"' in shown
    assert "hopper" not in shown


def test_nothing_to_show_is_status_one(run: Run) -> None:
    result = run("access")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: Nobody is known by this address.\n"


def test_access_while_erasing_names_the_erasure(run: Run, consent: None) -> None:
    erasure = said(run("erase", "--json", "--yes"))

    held = said(run("access", "--json"))

    assert (held["status"], held["erasure_id"]) == ("erasing", erasure["id"])
    assert held["reference"] == erasure["reference"]


def test_access_names_an_erasure_beside_a_new_request(run: Run, client: FlaskClient) -> None:
    erasure = said(run("erase", "--json", "--yes"))
    sign_up(client, ADA)

    held = said(run("access", "--json"))

    assert (held["status"], held["erasure_id"]) == ("pending", erasure["id"])


@pytest.mark.requires("R2")
def test_access_tells_the_words_agreed_to_in_full(run: Run, consent: None) -> None:
    agreed = said(run("access", "--json"))["wording"]

    assert agreed["language"] == "de"
    assert "neuen Werkzeugen für Tischler" in agreed["text"]


@pytest.mark.requires("R59")
def test_access_tells_what_article_15_asks_for(run: Run, consent: None) -> None:
    held = said(run("access", "--json", AUTHORITY="Landesbeauftragte, Musterstadt"))

    assert "HRB 12345" in held["controller"]
    assert held["contact"] == "datenschutz@example.com"
    assert held["authority"] == "Landesbeauftragte, Musterstadt"
    assert "Mailchimp" in held["recipients"][0]
    assert "USA" in held["safeguards"]
    assert "Standardvertragsklauseln (Art. 46 DSGVO)" in held["safeguards"]
    assert len(held["rights"]) == 8
    assert held["automated_decisions"] is None


def test_every_time_has_its_zone(run: Run, consent: None) -> None:
    held = said(run("access", "--json"))

    for at in [held["since"], *(event["at"] for event in held["events"])]:
        assert at.endswith("Z")


def test_a_withdrawn_consent_can_be_proved_for_three_years(
    run: Run, client: FlaskClient, clock: Clock, consent: None
) -> None:
    clock.move_to("2026-12-31T23:30:00+00:00")  # in Berlin, the new year has begun
    ask_staff(client, "blocks", ADA, reason="unsubscribed")

    held = said(run("access", "--json", "--locale", "en"))

    assert "until 31 December 2030" in held["retention"]
    assert held["left_at"] == "2026-12-31T23:30:00Z"


@pytest.mark.requires("R52")
def test_a_block_without_a_consent_is_a_digest_alone(run: Run, client: FlaskClient) -> None:
    sign_up(client, ADA)
    ask_staff(client, "blocks", ADA, reason="staff")

    held = said(run("access", "--json", "--locale", "en"))

    assert (held["email"], held["wording"]) == (None, None)
    assert held["retention"].startswith("a code from which the address cannot be read")


def test_a_return_without_an_earlier_consent_says_when_the_request_ends(
    run: Run, client: FlaskClient, clock: Clock
) -> None:
    sign_up(client, ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    sign_up(client, ADA)

    held = said(run("access", "--json", "--locale", "en"))

    assert held["status"] == "returning"
    assert (
        "deleted unless confirmed, by 9 March 2026, 13:00 (CET) at the latest" in held["retention"]
    )
    assert "until 31 December 2029, then deleted" in held["retention"]


@pytest.mark.requires("R59")
@pytest.mark.parametrize(
    ("locale", "told"),
    [
        (
            "de",
            (
                "E-Mail-Adresse: Ada@example.org",
                "Stand: bestätigt",
                "neuen Werkzeugen für Tischler",
                "Zweck: Versand des Newsletters",
                "Empfänger: Mailchimp",
                "Widerruf der Einwilligung",
            ),
        ),
        (
            "en",
            (
                "E-mail address: Ada@example.org",
                "Status: confirmed",
                "neuen Werkzeugen für Tischler",  # what was agreed to stays in its own words
                "Purpose: Sending the newsletter",
                "Recipients: Mailchimp",
                "withdrawal of the consent",
            ),
        ),
    ],
)
def test_access_is_there_to_be_read_too(
    run: Run, consent: None, locale: str, told: tuple[str, ...]
) -> None:
    result = run("access", "--locale", locale)

    text = " ".join(result.stdout.split())
    assert result.exit_code == 0, result.stderr
    assert [fact for fact in told if fact not in text] == []


def test_what_is_being_erased_is_told_in_words_too(run: Run, consent: None) -> None:
    erasure = said(run("erase", "--json", "--yes"))

    text = run("access", "--locale", "en").stdout

    assert "deleted; the deletion at Mailchimp is under way" in text
    assert erasure["id"] in text


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        (
            "de",
            (
                "Nummer der Löschung: ",
                "Erledigt: noch nicht",
                "Was gelöscht wurde:",
                "Bei Mailchimp: wartet",
            ),
        ),
        (
            "en",
            (
                "Number of the deletion: ",
                "Completed: not yet",
                "the encrypted address",
                "What is kept:",
            ),
        ),
    ],
)
def test_an_erasure_is_there_to_be_read_by_either_number(
    run: Run, consent: None, locale: str, told: tuple[str, ...]
) -> None:
    erasure = said(run("erase", "--json", "--yes"))

    shown = {
        run("erase", "--status", erasure[number], "--locale", locale).stdout
        for number in ("id", "reference")
    }
    [text] = shown
    assert [words for words in told if words not in text] == []


def test_erasing_shows_how_far_it_is(run: Run, consent: None) -> None:
    erasure = said(run("erase", "--json", "--yes"))

    assert (erasure["status"], erasure["keep_block"]) == ("pending", False)
    assert {place["place"]: place["state"] for place in erasure["places"]}["database"] == "done"
    assert said(run("erase", "--json", "--yes"))["id"] == erasure["id"]


def test_erasing_shows_first_what_it_will_delete(run: Run, consent: None) -> None:
    shown = run("erase", "--yes").stderr

    assert "To be deleted here:\n  the encrypted address\n" in shown
    assert "Nobody is known" not in shown


def test_erasing_says_that_nobody_is_known_under_an_address(run: Run, consent: None) -> None:
    result = run("erase", "--json", "--yes", given=f"{GRACE}\n")

    assert "Nobody is known here under this address." in result.stderr
    assert "To be deleted here" not in result.stderr
    assert said(result)["report"]["deleted"][0]["what"] == []


def test_what_is_piped_in_is_erased_by_yes_alone(
    run: Run, client: FlaskClient, consent: None
) -> None:
    result = run("erase")

    assert "To be deleted here" in result.stdout
    assert result.exit_code == 1
    assert result.stderr == "Error: Nothing was erased: input that is piped in needs --yes.\n"
    assert status_of(client, ADA) == "confirmed"


@pytest.mark.parametrize(("reply", "status"), [("y", "erasing"), ("n", "confirmed")])
def test_a_person_at_a_terminal_is_asked_before_anybody_is_erased(
    start: Any, client: FlaskClient, consent: None, reply: str, status: str
) -> None:
    terminal, end = pty.openpty()
    process = start("erase", stdin=end)
    os.write(terminal, f"{ADA}\n{reply}\n".encode())

    _, shown = process.communicate(timeout=PATIENCE)

    os.close(terminal)
    os.close(end)
    assert b"Erase? [y/N]" in shown
    assert (process.returncode == 0, status_of(client, ADA)) == (reply == "y", status)


def test_erasing_says_where_to_look_how_far_it_is(run: Run) -> None:
    result = run("erase", "--json", "--yes")

    assert f"/admin/erasures/{said(result)['id']}, with an admin token" in result.stderr


def test_erasing_can_keep_the_block(run: Run, client: FlaskClient, consent: None) -> None:
    assert said(run("erase", "--json", "--yes", "--keep-block"))["keep_block"] is True

    assert access_by_http(client, ADA)["reason"] == "staff"


def test_an_open_erasure_takes_what_came_beside_it_and_can_still_keep_the_block(
    run: Run, client: FlaskClient, consent: None
) -> None:
    first = said(run("erase", "--json", "--yes"))
    sign_up(client, ADA)
    again = said(run("erase", "--json", "--yes"))
    assert (again["id"], status_of(client, ADA)) == (first["id"], "erasing")

    kept = [
        said(run("erase", "--json", "--yes", *words))
        for words in (["--keep-block"], ["--keep-block"], [])
    ]

    assert {(it["id"], it["keep_block"]) for it in kept} == {(first["id"], True)}
    assert access_by_http(client, ADA)["reason"] == "staff"


def test_a_kept_block_keeps_its_hard_reason(run: Run, client: FlaskClient, consent: None) -> None:
    run("block", "--reason", "complaint")

    run("erase", "--yes", "--keep-block")

    assert access_by_http(client, ADA)["reason"] == "complaint"


def test_a_block_is_a_withdrawal_unless_said_otherwise(
    run: Run, client: FlaskClient, consent: None
) -> None:
    assert run("block").stdout == "Blocked.\n"

    held = access_by_http(client, ADA)
    assert held["reason"] == "unsubscribed"
    assert held["events"][-2]["actor"] == "cli"


@pytest.mark.requires("R50")
def test_a_block_has_the_reason_that_staff_give(run: Run, client: FlaskClient) -> None:
    for reason in ("unsubscribed", "complaint", "bounce", "staff"):
        person = f"{reason}@example.com"
        sign_up(client, person)
        assert run("block", "--reason", reason, given=person).exit_code == 0
        assert access_by_http(client, person)["reason"] == reason


def test_somebody_unknown_can_be_blocked_for_ever_alone(run: Run, client: FlaskClient) -> None:
    assert run("block", given=GRACE).exit_code == 1
    assert run("block", "--reason", "staff", given=HEDY).exit_code == 0

    assert (status_of(client, GRACE), status_of(client, HEDY)) == ("unknown", "blocked")


def test_lifting_lets_somebody_sign_up_again(run: Run, client: FlaskClient, consent: None) -> None:
    run("block", "--reason", "staff")

    assert run("lift").stdout == "Lifted.\n"
    assert run("lift").stdout == (
        "Nothing changed: it is not permanently blocked, so its owner may sign up.\n"
    )

    assert events_of(client, ADA)[-1] == "lifted"
    assert run("lift", given=GRACE).exit_code == 1


def test_holding_freezes_and_releasing_ends_it(
    run: Run, client: FlaskClient, consent: None
) -> None:
    assert run("hold").stdout == "Held.\n"
    assert run("hold").stdout == "Nothing changed: it is on hold already.\n"
    assert access_by_http(client, ADA)["hold"] is True
    assert run("hold", "--release").stdout == "Released.\n"
    assert run("hold", "--release").stdout == "Nothing changed: it is not on hold.\n"

    held = access_by_http(client, ADA)
    assert held["hold"] is False
    assert [event["event"] for event in held["events"] if event.get("actor") == "cli"] == [
        "held",
        "released",
    ]
    assert run("hold", given=GRACE).exit_code == 1


def test_a_correction_takes_two_lines_the_old_address_first(
    run: Run, client: FlaskClient, consent: None
) -> None:
    result = run("rectify", given=f"{ADA}\n{GRACE}\n")

    assert (result.exit_code, result.stderr) == (0, "")
    assert (status_of(client, ADA), status_of(client, GRACE)) == ("confirmed", "pending")
    assert "rectified" in events_of(client, ADA)


TWO_LINES = "Two lines are expected: the address as it is known, then the correct one. Given: "


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (f"{ADA}\n", f"{TWO_LINES}1."),
        (f"{ADA}\n{GRACE}\n{HEDY}\n", f"{TWO_LINES}3."),
        (f"{ADA}\ngarbled\n", "The correct address is not an e-mail address."),
        (f"garbled\n{GRACE}\n", "The address as it is known is not an e-mail address."),
        (f"{GRACE}\n{HEDY}\n", "Nobody is known by this address."),
    ],
)
def test_a_wrong_correction_is_refused_with_the_reason(
    run: Run, client: FlaskClient, consent: None, given: str, error: str
) -> None:
    result = run("rectify", given=given)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: {error}\n"
    assert "rectified" not in events_of(client, ADA)


def test_why_an_address_is_not_corrected_is_told_in_one_line(
    run: Run, client: FlaskClient, consent: None
) -> None:
    sign_up(client, GRACE)

    result = run("rectify", given=f"{ADA}\n{GRACE}\n")

    assert result.exit_code == 1
    assert result.stderr == (
        "Error: The address was written too often of late, so its owner cannot be asked: "
        "try again later.\n"
    )


@pytest.mark.parametrize(
    "command", ["release", "worker", "access", "erase", "block", "lift", "hold"]
)
def test_wrong_settings_are_status_two_and_all_told(run: Run, command: str) -> None:
    result = run(command, SECRET_KEY="short-but-secret", LINK_DAYS="99", PORT="eighty")

    assert (result.exit_code, result.stdout) == (2, "")
    assert all(f"{name}: " in result.stderr for name in ("SECRET_KEY", "LINK_DAYS", "PORT"))
    assert "short-but-secret" not in result.stderr


@pytest.mark.parametrize(
    "command", ["release", "worker", "access", "erase", "block", "lift", "hold"]
)
def test_a_wrong_data_key_is_status_two(run: Run, command: str) -> None:
    result = run(command, DATA_KEY=WRONG_KEY)

    assert result.exit_code == 2
    assert "DATA_KEY: does not open this database's keyring." in result.stderr
    assert WRONG_KEY not in result.stderr


@pytest.mark.parametrize("command", ["access", "erase", "block", "lift", "hold"])
def test_a_database_before_its_release_is_told_in_one_line(
    run: Run, tmp_path: Path, command: str
) -> None:
    result = run(command, DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")

    assert result.exit_code == 1
    assert result.stderr == (
        "Error: DATABASE_URL: the database has no tables yet; run `newsletter release`.\n"
    )


@on_postgresql
@pytest.mark.parametrize("command", ["release", "access"])
def test_a_database_that_is_not_there_is_told_by_its_cause(
    run: Run, database_url: str, command: str
) -> None:
    result = run(command, DATABASE_URL=f"{database_url.rpartition('/')[0]}/elsewhere")

    assert result.exit_code == 1
    assert result.stderr.startswith(
        "Error: DATABASE_URL: the database server has no such database or user; create it"
    )
    assert "elsewhere" not in result.stderr


@pytest.mark.parametrize("command", ["release", "access"])
def test_a_database_that_is_away_is_told_without_its_password(run: Run, command: str) -> None:
    result = run(command, DATABASE_URL="postgresql://muster:s3cretword@127.0.0.1:9/news")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: DATABASE_URL: the database does not answer; start it")
    assert "s3cretword" not in result.output
    assert "Traceback" not in result.output


def test_releasing_again_changes_nothing(run: Run, client: FlaskClient, consent: None) -> None:
    result = run("release")

    assert (result.exit_code, result.stdout) == (0, "The database is ready.\n")
    assert status_of(client, ADA) == "confirmed"


def test_a_release_makes_a_database_out_of_nothing(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/below/new.sqlite3"

    assert run("release", DATABASE_URL=url).exit_code == 0

    assert run("check", DATABASE_URL=url, **ORDERLY).exit_code == 0
    assert said(run("erase", "--json", "--yes", DATABASE_URL=url))["status"] == "pending"


def test_a_check_finds_everything_in_order(run: Run) -> None:
    result = run("check", **ORDERLY)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("Everything is in order.\n")


def test_a_check_prints_the_sentence_that_topics_completes(run: Run) -> None:
    result = run("check", **ORDERLY, TOPICS="neuen Werkzeugen.")

    assert "The form asks (de): “Ja, ich möchte den Newsletter von Muster" in result.stdout
    assert " mit Informationen zu neuen Werkzeugen per E-Mail erhalten." in result.stdout
    assert "with information about new tools for joiners." in result.stdout


def test_a_check_tells_what_is_only_worth_knowing_as_that(run: Run) -> None:
    result = run("check", **ORDERLY)

    hints = [line for line in result.stdout.splitlines() if line.startswith("Worth knowing: ")]
    checkpoints, web, tracking, worker = sorted(hints)
    assert checkpoints.startswith("Worth knowing: LEDGER_CHECKPOINTS: is not set, so neither")
    assert web.startswith("Worth knowing: PUBLIC_URL: nothing answers there from here; ")
    assert tracking.startswith("Worth knowing: tracking: Mailchimp records who opens a newsletter")
    assert worker.startswith("Worth knowing: worker: none is running, so e-mails wait; ")


def test_a_check_tells_every_wrong_setting_at_once(run: Run) -> None:
    wrong = {"LINK_DAYS": "99", "TOPICS": "CHANGE_ME", "PORT": "eighty", "SECRET_KEY": "Pa55word"}
    result = run("check", **wrong)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "Pa55word" not in result.stderr
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "SECRET_KEY",
        "PORT",
        "TOPICS",
        "LINK_DAYS",
    ]
    assert result.stderr.splitlines()[1] == "PORT: must be a whole number from 1 to 65535."


def test_a_check_finds_a_variable_that_nobody_reads(run: Run) -> None:
    result = run("check", MAILCHIMP_API_KEY="", MAILCHIMP_KEY="0123456789abcdef-us1", **ORDERLY)

    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == (
        "MAILCHIMP_KEY: is no setting, and not read;"
        " name it MAILCHIMP_API_KEY, or remove it if it is another program's."
    )
    assert "0123456789abcdef" not in result.output


def test_a_check_finds_values_that_kept_their_quotes(run: Run) -> None:
    quoted = {"ORGANISATION": "'Muster GmbH'", "TIMEZONE": '"Europe/Berlin"', "AUTHORITY": "'s"}

    result = run("check", **ORDERLY | quoted, DATA_KEY='"wraps-the-keyring-in-the-tests-0123"')

    assert result.exit_code == 1
    kept = "begins and ends with a quote, which is part of the value"
    assert f"ORGANISATION: {kept}; leave the quotes out here." in result.stderr
    assert f"TIMEZONE: {kept}" in result.stderr
    assert "AUTHORITY" not in result.output
    assert f"Worth knowing: DATA_KEY: {kept}" in result.stdout


def test_a_check_finds_a_brand_that_breaks_the_law(run: Run, tmp_path: Path) -> None:
    consent = tmp_path / "brand/wordings/de.txt"
    consent.parent.mkdir(parents=True)
    consent.write_text("Ich möchte den Newsletter.\n")

    result = run("check", BRAND_DIR=str(tmp_path / "brand"), **ORDERLY)

    assert result.exit_code == 1
    assert "the consent text does not name the recipient Mailchimp; add it." in result.stderr


def test_a_check_tells_every_place_that_is_away(
    run: Run, mailbox: Mailbox, mailchimp: StandIn
) -> None:
    mailchimp.refuse_key()
    mailbox.stop()

    result = run("check", DATA_KEY=WRONG_KEY, **ORDERLY)

    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "DATA_KEY",
        "SMTP_URL",
        "MAILCHIMP_API_KEY",
    ]


@pytest.mark.parametrize(
    ("words", "variables", "status"),
    [
        (["check"], ORDERLY, 0),
        (["check"], {"LINK_DAYS": "99"}, 1),
        (["check"], {**ORDERLY, "DATABASE_URL": "sqlite:////proc/newsletter.sqlite3"}, 1),
        (["access"], {}, 1),
        (["access"], {"LINK_DAYS": "99"}, 2),
        (["worker"], {"DATA_KEY": WRONG_KEY}, 2),
        (["block", "--reason", "rude"], {}, 2),
    ],
)
def test_a_command_ends_with_its_status(
    run: Run, words: list[str], variables: dict[str, str], status: int
) -> None:
    result = run(*words, **variables)

    assert result.exit_code == status, result.stderr
    assert isinstance(result.exception, SystemExit | None)
    assert ADA not in result.stderr


def test_an_address_comes_by_standard_input_and_not_by_the_arguments(
    start: Any, client: FlaskClient, consent: None
) -> None:
    process = start("erase", "--json", "--yes")
    shown = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
    answer, errors = process.communicate(f"{ADA}\n".encode(), timeout=PATIENCE)

    assert process.returncode == 0, errors
    assert b"@" not in b"".join(shown)
    assert json.loads(answer)["status"] == "pending"
    assert status_of(client, ADA) == "erasing"


def test_a_person_at_a_terminal_is_asked_for_the_address_beside_the_answer(
    start: Any, consent: None
) -> None:
    terminal, end = pty.openpty()
    process = start("access", "--json", stdin=end)
    os.write(terminal, f"{ADA}\n".encode())
    answer, said_beside = process.communicate(timeout=PATIENCE)
    os.close(terminal)
    os.close(end)

    assert b"E-mail address: " in said_beside
    assert json.loads(answer)["status"] == "confirmed"
