"""`newsletter import`: Mailchimp's files as they are, and a list of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.storage.database import reading
from newsletter.storage.models import Job, LedgerRow, Letter, Subscription
from newsletter.subscriptions.importing import take as importing
from newsletter.subscriptions.importing.report import Report
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.commands import Run
from tests.conftest import Drain, Join, both_databases
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF,
    access,
    ask_staff,
    events_of,
    press,
    sign_up,
    standing_of,
    status_of,
    webhook,
)

EXPORTS = Path(__file__).parent / "exports"
SUBSCRIBED = EXPORTS / "subscribed_email_audience_export_1a2b3c4d5e.csv"
UNSUBSCRIBED = EXPORTS / "unsubscribed_email_audience_export_1a2b3c4d5e.csv"
CLEANED = EXPORTS / "cleaned_email_audience_export_1a2b3c4d5e.csv"
LEFT, BOUNCED = "left@example.com", "bounced@example.com"
HEADING = "email,confirmed_at,requested_at,language,source,note"

Listed = Callable[..., Path]


@pytest.fixture
def listed(tmp_path: Path) -> Listed:
    """A list of one's own with these lines."""

    def listed(*lines: str, heading: str = HEADING) -> Path:
        path = tmp_path / "list.csv"
        path.write_bytes("\r\n".join([heading, *lines, ""]).encode())
        return path

    return listed


def taken(run: Run, path: Path, *options: str) -> dict[str, Any]:
    """Take a file over; the numbers of the rows by what became of them."""
    result = run("import", str(path), "--json", *options)
    assert result.stdout, result.stderr
    report = json.loads(result.stdout)
    assert result.exit_code == bool(report["refused"])
    rows = {what: each["rows"] for what, each in (report["taken"] | report["refused"]).items()}
    return {what: [n for a, b in ranges for n in range(a, b + 1)] for what, ranges in rows.items()}


def refusal(run: Run, path: Path, *options: str) -> str:
    """What the command says of a file from which it takes nothing."""
    result = run("import", str(path), *options)
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


def test_mailchimps_subscribers_are_confirmed_with_the_times_that_it_states(
    run: Run, client: FlaskClient
) -> None:
    assert taken(run, SUBSCRIBED) == {"confirmed": [2, 3], "no_time": [4], "no_address": [5]}

    held = access(client, ADA)
    assert held["email"] == "Ada@example.org"
    assert (held["status"], held["mailchimp"]["status"]) == ("confirmed", "subscribed")
    stated = held["imported"]
    assert (stated["requested_at"], stated["confirmed_at"], stated["row"]) == (
        "2019-03-05T10:20:29Z",
        "2019-03-05T10:21:33Z",
        2,
    )
    assert events_of(client, ADA) == ["imported"]
    assert status_of(client, HEDY) == "unknown"


def test_nothing_but_address_and_times_is_taken_from_mailchimps_file(
    run: Run, client: FlaskClient
) -> None:
    shown = run("import", str(SUBSCRIBED)).stdout

    assert "Read of each row: Email Address, CONFIRM_TIME, OPTIN_TIME." in shown
    assert "OPTIN_IP, CONFIRM_IP, LATITUDE, LONGITUDE" in shown.replace("CONFIRM_TIME, ", "")
    held = json.dumps(access(client, ADA))
    for personal in ("198.51.100.7", "Lovelace", "St James", "VIP", "0a1b2c3d4e", "fair"):
        assert personal not in held


def test_who_left_or_bounced_at_mailchimp_is_blocked(run: Run, client: FlaskClient) -> None:
    assert taken(run, UNSUBSCRIBED) == {"blocked": [2]}
    assert taken(run, CLEANED) == {"blocked": [2]}

    left, bounced = access(client, LEFT), access(client, BOUNCED)
    assert (left["status"], left["reason"]) == ("blocked", "unsubscribed")
    assert (bounced["status"], bounced["reason"]) == ("blocked", "bounce")
    assert {each["mailchimp"]["status"] for each in (left, bounced)} == {"unsubscribed"}
    assert (left["imported"], bounced["imported"]) == (None, None)


def test_nobody_is_written_to_and_nothing_is_done_at_mailchimp(
    run: Run, drain: Drain, mailbox: Mailbox, mailchimp: StandIn
) -> None:
    for path in (SUBSCRIBED, UNSUBSCRIBED, CLEANED):
        run("import", str(path))
    drain()

    assert mailbox.letters == []
    assert [call for call in mailchimp.calls if "/members" in call.path] == []


def test_contacts_who_never_subscribed_are_not_taken_for_subscribers(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "nonsubscribed_email_audience_export_1a2b3c4d5e.csv"
    path.write_bytes(SUBSCRIBED.read_bytes())

    assert "does not begin with “subscribed_”" in refusal(run, path)
    assert taken(run, path, "--subscribed")["confirmed"] == [2, 3]


def test_who_has_no_time_of_consent_is_taken_only_on_request_and_marked_everywhere(
    run: Run, client: FlaskClient
) -> None:
    assert taken(run, SUBSCRIBED, "--without-proof")["without_proof"] == [4]

    held = access(client, HEDY)
    assert (held["status"], held["imported"]["confirmed_at"]) == ("confirmed", None)
    assert held["events"][0]["detail"] == "mailchimp: without_proof"
    text = run("access", "--locale", "en", given=f"{HEDY}\n").stdout
    assert "without a time of consent" in text
    page = client.get(
        f"/admin/proofs/{held['reference']}", headers={**STAFF, "Accept": "text/html"}
    )
    assert "ohne Zeitpunkt der Einwilligung" in page.text


def test_the_proof_says_that_the_consent_was_taken_over_and_no_more(
    run: Run, client: FlaskClient, drain: Drain, tmp_path: Path
) -> None:
    taken(run, SUBSCRIBED)
    drain()

    proof = json.loads(run("proof", given=f"{ADA}\n").stdout)
    assert proof["imported"]["confirmed_at"] == "2019-03-05T10:21:33Z"
    (round_,) = proof["rounds"]
    assert (round_["state"], round_["steps"], round_["wording"]) == ("taken over", [], None)
    assert proof["purposes"][0]["collection_method"].startswith(
        "aus einem anderen System übernommen"
    )
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof))
    assert run("proof", "verify", str(path)).exit_code == 0
    proof["imported"]["confirmed_at"] = "2018-03-05T10:21:33Z"
    path.write_text(json.dumps(proof))
    assert run("proof", "verify", str(path)).exit_code == 1


def test_a_list_of_ones_own_brings_language_source_and_note(
    run: Run, client: FlaskClient, listed: Listed
) -> None:
    path = listed(
        "grace@example.com,2020-05-01T12:00:00+02:00,2020-05-01,en,Trade fair,Form no. 17"
    )

    assert taken(run, path) == {"confirmed": [2]}
    held = access(client, GRACE)
    stated = held["imported"]
    assert held["language"] == "en"
    assert (stated["confirmed_at"], stated["source"], stated["note"]) == (
        "2020-05-01T10:00:00Z",
        "Trade fair",
        "Form no. 17",
    )
    text = run("access", given=f"{GRACE}\n").stdout
    assert "Source: Trade fair" in text
    assert "Note: Form no. 17" in text


def test_who_is_not_at_mailchimp_is_added_there_with_the_time_that_was_stated(
    run: Run, drain: Drain, mailbox: Mailbox, mailchimp: StandIn, listed: Listed
) -> None:
    taken(run, listed("grace@example.com,2020-05-01T12:00:00Z,,,,"))
    drain()

    assert standing_of(mailchimp, GRACE) == "subscribed"
    assert "2020-05-01" in str(vars(mailchimp.contacts[GRACE]))
    assert mailbox.letters == []


def test_who_unsubscribed_at_mailchimp_is_not_added_there_again(
    run: Run,
    join: Join,
    client: FlaskClient,
    drain: Drain,
    mailbox: Mailbox,
    mailchimp: StandIn,
    listed: Listed,
) -> None:
    mailchimp.add(GRACE, "unsubscribed")

    taken(run, listed("grace@example.com,2020-05-01T12:00:00Z,,,,"))
    drain()

    assert standing_of(mailchimp, GRACE) == "unsubscribed"
    assert status_of(client, GRACE) == "blocked"
    assert mailbox.letters == []


def test_who_is_known_stays_as_they_are(
    run: Run, join: Join, client: FlaskClient, listed: Listed
) -> None:
    join(ADA)
    before = access(client, ADA)

    rows = taken(run, listed("ada@example.org,2020-05-01,,,,", "ada@example.org,2020-05-01,,,,"))

    assert rows == {"known": [2, 3]}
    after = access(client, ADA)
    assert (before["status"], before["since"], after["imported"]) == (
        after["status"],
        after["since"],
        None,
    )


def unsubscribed_at(path: Path, person: str, moment: str) -> Path:
    text = UNSUBSCRIBED.read_text().replace(LEFT, person).replace("2018-06-30 17:12:45", moment)
    path.write_text(text)
    return path


def test_a_file_blocks_whom_it_says_to_have_left_since(
    run: Run, join: Join, client: FlaskClient, tmp_path: Path
) -> None:
    join(ADA)
    file = tmp_path / "unsubscribed_export.csv"

    assert taken(run, unsubscribed_at(file, ADA, "2018-06-30 17:12:45")) == {"known": [2]}
    assert status_of(client, ADA) == "confirmed"
    assert taken(run, unsubscribed_at(file, ADA, "")) == {"blocked_now": [2]}
    assert status_of(client, ADA) == "blocked"


def test_who_is_being_erased_does_not_come_back(
    run: Run, join: Join, client: FlaskClient, listed: Listed
) -> None:
    join(GRACE)
    ask_staff(client, "erasures", GRACE)

    assert taken(run, listed("grace@example.com,2020-05-01,,,,")) == {"erased": [2]}


def test_who_was_taken_over_leaves_comes_back_and_is_erased_as_anybody(
    run: Run, client: FlaskClient, drain: Drain, mailbox: Mailbox, listed: Listed
) -> None:
    taken(run, listed("grace@example.com,2020-05-01,,,Trade fair,"))
    ask_staff(client, "blocks", GRACE, reason="unsubscribed")
    assert access(client, GRACE)["imported"]["source"] == "Trade fair"

    sign_up(client, GRACE)
    drain()
    assert press(client, mailbox, GRACE) == 200
    reference = access(client, GRACE)["reference"]
    erasure = ask_staff(client, "erasures", GRACE).get_json()["id"]
    assert "from another system" in run("erase", "--status", erasure, "--locale", "en").stdout
    drain()
    proof = client.get(f"/admin/proofs/{reference}", headers=STAFF).get_json()
    assert proof["imported"] is None


def test_a_complaint_or_a_removal_reported_by_mailchimp_counts_after_taking_over(
    run: Run, client: FlaskClient, drain: Drain, mailchimp: StandIn
) -> None:
    taken(run, SUBSCRIBED)

    webhook(
        client,
        type="unsubscribe",
        fired_at="2030-01-01 00:00:00",
        data_action="unsub",
        data_reason="manual",
        data_email=ADA,
        data_list_id=mailchimp.list_id,
    )
    drain()

    assert status_of(client, ADA) == "blocked"


def test_a_dry_run_reports_the_same_and_changes_nothing(
    run: Run, client: FlaskClient, listed: Listed
) -> None:
    path = listed(*["grace@example.com,2020-05-01,,,,"] * 2, "nobody,2020-05-01,,,,")

    tried = taken(run, path, "--dry-run")

    assert status_of(client, GRACE) == "unknown"
    assert tried == {"confirmed": [2], "known": [3], "no_address": [4]} == taken(run, path)


def many(count: int) -> list[str]:
    return [f"person{number}@example.com,2020-05-01,,,," for number in range(count)]


@both_databases
def test_batches_are_taken_on_both_databases_and_nobody_twice(
    app: Flask, run: Run, listed: Listed
) -> None:
    path = listed(*many(450), *many(10))

    assert taken(run, path)["confirmed"] == list(range(2, 452))
    assert taken(run, path) == {"known": list(range(2, 462))}
    with app.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscription)) == 450
        assert session.scalar(select(func.count()).select_from(LedgerRow)) == 450
        assert session.scalar(select(func.count()).select_from(Letter)) == 0
        assert session.scalar(select(Job).where(Job.name.startswith("import"))) is None


def test_a_run_that_was_interrupted_is_gone_on_with_and_reports_the_same(
    app: Flask, run: Run, listed: Listed
) -> None:
    path = listed(*many(450), "nobody,,,,,")

    def stop(report: Report) -> None:
        if report.done > 400:
            raise KeyboardInterrupt

    with app.app_context(), path.open("rb") as file:
        upload = importing.read(file, path.name)
        with pytest.raises(KeyboardInterrupt):
            importing.take(upload, actor="cli", watch=stop)
        assert _people() == 400

        assert taken(run, path) == {"confirmed": list(range(2, 452)), "no_address": [452]}
        assert _people() == 450


def _people() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Subscription)) or 0


def test_a_broken_file_is_refused_by_the_number_of_its_row_and_nothing_is_taken(
    run: Run, client: FlaskClient, listed: Listed
) -> None:
    wrong = refusal(run, listed("grace@example.com,2020-05-01,,,,", "hedy@example.net,2020"))

    assert "Row 3 does not have as many fields as the heading (2, not 6)" in wrong
    assert "hedy" not in wrong
    assert status_of(client, GRACE) == "unknown"


def test_a_row_is_refused_by_its_number(run: Run, listed: Listed) -> None:
    path = listed("hedy@example.net,2020-05-01,,,,", "grace@example.com,yesterday,,,,")

    assert taken(run, path) == {"confirmed": [2], "wrong_time": [3]}
    shown = run("import", str(path)).stdout
    assert "(row 3)" in shown
    assert "grace" not in shown


def test_a_file_of_another_kind_is_refused(run: Run, listed: Listed) -> None:
    assert "Neither Mailchimp's" in refusal(run, listed("1,2", heading="a,b"))


def test_no_log_holds_what_a_file_says(
    run: Run, listed: Listed, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    taken(run, listed("grace@example.com,2020-05-01,,,Trade fair,", "nobody,2020-05-01,,,,"))

    assert "grace" not in caplog.text
    assert "Trade fair" not in caplog.text
