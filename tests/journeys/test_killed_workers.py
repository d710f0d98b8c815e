"""Workers that are killed while letters go out as fast as they can: nobody is lost, and nobody gets more than three."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.domain.lifecycle import Event
from newsletter.storage.database import reading
from newsletter.storage.models import LedgerRow
from newsletter.worker.mail.connections import MOST_IN_HAND
from sandbox.mailbox import Mailbox
from tests.journeys.service import Service, wait_until
from tests.people import sign_up

PEOPLE = [f"person-{number}@example.org" for number in range(200)]
KILLED_AFTER = (20, 60, 120)  #: letters


def recipients(mailbox: Mailbox) -> Counter[str]:
    return Counter(letter.recipients[0] for letter in list(mailbox.letters))


def times_logged(app: Flask) -> list[int]:
    """How often each person's letter is in the ledger as sent."""
    query = select(func.count()).where(LedgerRow.event == Event.MAIL_SENT).group_by(LedgerRow.ref)
    with app.app_context(), reading() as session:
        return list(session.scalars(query))


def test_everybody_gets_a_letter_though_workers_are_killed(
    app: Flask, client: FlaskClient, environ: dict[str, Any], tmp_path: Path, mailbox: Mailbox
) -> None:
    for person in PEOPLE:
        sign_up(client, person)
    with Service({**environ, "SMTP_CONNECTIONS": "4"}, tmp_path) as service:
        service.start_worker()
        for letters in KILLED_AFTER:
            mailbox.wait_for(letters)
            service.processes[-1].kill()
            service.start_worker()

        wait_until(lambda: len(times_logged(app)) == len(PEOPLE), "all letters are recorded")

        copies = recipients(mailbox)
        assert copies.keys() == set(PEOPLE)
        assert max(copies.values()) <= 3
        assert sum(copies.values()) <= len(PEOPLE) + len(KILLED_AFTER) * MOST_IN_HAND
        assert set(times_logged(app)) == {1}
        assert service.processes[-1].stop() == 0
    ids = {(letter.recipients, letter.message["Message-ID"]) for letter in mailbox.letters}
    assert len(ids) == len(PEOPLE)
