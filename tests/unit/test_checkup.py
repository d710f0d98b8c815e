"""What `newsletter check` finds wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from newsletter import create_core
from newsletter.checkup import findings
from newsletter.config import load
from newsletter.database import writing
from newsletter.models import db
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import throttled

Check = Callable[..., list[str]]
RELEASE = "DATABASE_URL: the database cannot be reached or is not at the newest schema"


@pytest.fixture
def check(environ: dict[str, Any]) -> Check:
    """What is found with these settings, after something was done to the database."""

    def check(*statements: str, **variables: str) -> list[str]:
        with create_core(load({**environ, **variables})).app_context():
            try:
                with writing() as session:
                    for statement in statements:
                        session.execute(text(statement))
                return findings()
            finally:
                db.engine.dispose()

    return check


def names(found: list[str]) -> list[str]:
    return [problem.partition(":")[0] for problem in found]


def test_nothing_is_wrong_where_all_is_in_order(check: Check) -> None:
    assert check() == []


def test_looking_sends_no_letter_and_changes_nothing_at_mailchimp(
    check: Check, mailbox: Mailbox, mailchimp: StandIn
) -> None:
    check()

    assert mailbox.letters == []
    assert {call.method for call in mailchimp.calls} == {"GET"}


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM alembic_version", "DROP TABLE alembic_version", "DELETE FROM keyring"],
)
def test_a_database_that_was_not_released_is_found(check: Check, statement: str) -> None:
    [problem] = check(statement)

    assert problem.startswith(RELEASE)
    assert "newsletter release" in problem


def test_an_empty_database_is_found(check: Check, tmp_path: Path) -> None:
    [problem] = check(DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")

    assert problem.startswith(RELEASE)


def test_a_wrong_data_key_is_found(check: Check) -> None:
    [problem] = check(DATA_KEY="a-key-that-does-not-open-this-keyring")

    assert problem.startswith("DATA_KEY: ")
    assert "that was used when" in problem


def test_a_mail_server_that_is_away_is_found(check: Check, mailbox: Mailbox) -> None:
    url = mailbox.smtp_url
    mailbox.stop()

    [problem] = check(SMTP_URL=url)

    assert problem.startswith("SMTP_URL: the mail server does not take letters from us (")


def test_a_wrong_password_of_the_mail_server_is_found_and_not_shown(check: Check) -> None:
    with Mailbox(auth=("muster", "right")) as guarded:
        url = f"{guarded.smtp_url.replace('right', 'wr0ngw0rd')}?starttls=never"

        [problem] = check(SMTP_URL=url)

    assert problem.startswith("SMTP_URL: ")
    assert "wr0ngw0rd" not in problem


def test_without_a_mail_server_the_folder_is_looked_at(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert check(SMTP_URL="") == []

    (tmp_path / "var/mail").rmdir()
    (tmp_path / "var/mail").touch(0o600)

    assert names(check(SMTP_URL="")) == ["SMTP_URL"]


def test_a_missing_key_of_mailchimp_is_found(check: Check) -> None:
    assert names(check(MAILCHIMP_API_KEY="")) == ["MAILCHIMP_API_KEY"]


def test_a_key_that_mailchimp_refuses_is_found_and_not_shown(
    check: Check, mailchimp: StandIn
) -> None:
    mailchimp.refuse_key()

    [problem] = check()

    assert problem == "MAILCHIMP_API_KEY: Mailchimp does not take it (api_key)."


def test_an_audience_that_is_not_there_is_found(check: Check) -> None:
    [problem] = check(MAILCHIMP_LIST_ID="ffffffffff")

    assert problem == "MAILCHIMP_LIST_ID: Mailchimp does not take it (list_unknown)."


def test_a_mailchimp_that_is_away_is_found(check: Check, mailchimp: StandIn) -> None:
    mailchimp.answer_next(throttled(500))
    assert len(check()) == 1

    mailchimp.stop()

    assert len(check(MAILCHIMP_API_URL="http://127.0.0.1:9/3.0")) == 1


def test_all_that_is_wrong_is_found_at_once(
    check: Check, mailbox: Mailbox, mailchimp: StandIn
) -> None:
    url = mailbox.smtp_url
    mailbox.stop()
    mailchimp.refuse_key()

    found = check("DELETE FROM keyring", SMTP_URL=url)

    assert names(found) == ["DATABASE_URL", "SMTP_URL", "MAILCHIMP_API_KEY"]
