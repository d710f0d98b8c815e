"""What a company promises of its data, looked for in everything that is left behind."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import COMPANY, both_databases
from tests.journeys.service import Service, running, wait_until
from tests.patience import PATIENCE
from tests.people import ADA, STAFF_TOKEN, WEBHOOK_SECRET, link_in

pytestmark = both_databases

NAME, PHONE, BROWSER = "Lovelace-Byron", "+49 170 5550123", "Strange-Browser/7.1"
ORIGIN, TRACE = "203.0.113.77", "trace-0af7651916cd43dd"


def stored(database_url: str, folder: Path) -> bytes:
    """Everything the database holds: SQLite's files as they lie there, PostgreSQL's rows as text."""
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///"))
        return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        rows = [
            connection.execute(f'SELECT t::text FROM "{name}" t').fetchall() for (name,) in tables
        ]
    return repr(rows).encode()


def traces_of(address: str) -> dict[str, bytes]:
    """An address in every form in which it must not stand anywhere."""
    key = address.lower().encode()
    return {
        "address": address.encode(),
        "lower case": key,
        "local part": key.partition(b"@")[0] + b"@",
        "md5": hashlib.md5(key).hexdigest().encode(),
        "sha1": hashlib.sha1(key).hexdigest().encode(),
        "sha256": hashlib.sha256(key).hexdigest().encode(),
        "raw md5": hashlib.md5(key).digest(),
        "raw sha256": hashlib.sha256(key).digest(),
    }


def sign_up_with_all_that_a_form_may_send(service: Service) -> None:
    answer = service.http.post(
        service.url(f"/subscriptions?name={NAME}"),
        data={"email": ADA, "name": NAME, "phone": PHONE},
        headers={
            "User-Agent": BROWSER,
            "X-Forwarded-For": ORIGIN,
            "Referer": f"https://example.com/{TRACE}",
            "traceparent": TRACE,
            "Cookie": f"id={TRACE}",
        },
        allow_redirects=False,
        timeout=PATIENCE,
    )
    assert answer.status_code == 303


@pytest.fixture
def left_behind(
    environ: dict[str, Any], tmp_path: Path, mailbox: Mailbox, mailchimp: StandIn
) -> tuple[bytes, bytes, dict[str, bytes]]:
    """The database and the logs after a whole journey, and what must not stand in them."""
    with running({**environ, "LOG_LEVEL": "DEBUG"}, tmp_path) as service:
        mailchimp.webhook_url = service.url(f"/webhooks/mailchimp/{WEBHOOK_SECRET}")
        sign_up_with_all_that_a_form_may_send(service)
        assert mailbox.wait_for(1)
        link = link_in(mailbox.letters[0].message)
        service.http.get(service.url(link), timeout=PATIENCE)
        unsubscribe = service.press(link).json()["unsubscribe"]
        wait_until(lambda: "synced" in service.events_of(ADA), "Mailchimp has acknowledged")
        mailchimp.unsubscribes(ADA)
        service.http.post(service.url(link + "x"), timeout=PATIENCE)
        service.http.post(
            service.url("/subscriptions"), json={"email": ADA + "@"}, timeout=PATIENCE
        )
        service.http.get(service.url(f"/{ADA}"), timeout=PATIENCE)
        held, said = stored(environ["DATABASE_URL"], tmp_path), service.logs().encode()
    secrets = {
        "name": NAME.encode(),
        "phone": PHONE.encode(),
        "browser": BROWSER.encode(),
        "origin": ORIGIN.encode(),
        "trace": TRACE.encode(),
        "link": link.rsplit("/", 1)[1].encode(),
        "unsubscribe link": unsubscribe.rsplit("/", 1)[1].encode(),
        "token": STAFF_TOKEN.encode(),
        "webhook": WEBHOOK_SECRET.encode(),
        "key": environ["MAILCHIMP_API_KEY"].encode(),
        "signing key": COMPANY["SECRET_KEY"].encode(),
        "data key": COMPANY["DATA_KEY"].encode(),
    }
    return held, said, {**secrets, **traces_of(ADA)}


@pytest.mark.requires("R1", "R38", "R43", "R72", "R75")
def test_a_whole_journey_leaves_nothing_personal_and_no_secret_behind(
    left_behind: tuple[bytes, bytes, dict[str, bytes]],
) -> None:
    held, said, secrets = left_behind
    assert b"/confirm/<token>" in said

    assert [name for name, secret in secrets.items() if secret in held] == []
    assert [name for name, secret in secrets.items() if secret in said] == []


@pytest.mark.requires("R37")
def test_erasing_leaves_not_even_what_was_encrypted(
    environ: dict[str, Any], tmp_path: Path, mailbox: Mailbox
) -> None:
    with running(environ, tmp_path) as service:
        assert service.sign_up(ADA) == 202
        assert mailbox.wait_for(1)
        wait_until(lambda: "mail_sent" in service.events_of(ADA), "it is logged")
        before = cells(environ["DATABASE_URL"])
        assert len(before) == 4
        assert service.staff("erasures", ADA).status_code == 202

        def nothing_is_left() -> bool:
            left = stored(environ["DATABASE_URL"], tmp_path)
            return not any(cell in left or cell.hex().encode() in left for cell in before)

        # On SQLite while the service runs: the old content is overwritten before the file is rebuilt at night.
        wait_until(nothing_is_left, "Ada's data is overwritten")


def cells(database_url: str) -> list[bytes]:
    """What the database holds of the one person there is: address, digest, nonce and evidence."""
    query = "SELECT address, digest, nonce FROM subscription"
    evidence = "SELECT evidence FROM letter"
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as lite:
            return [*lite.execute(query).fetchone(), *lite.execute(evidence).fetchone()]
    with psycopg.connect(database_url) as connection:
        rows = [connection.execute(each).fetchone() for each in (query, evidence)]
    return [bytes(cell) for row in rows if row for cell in row]
