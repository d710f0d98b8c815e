"""What is recorded of a row that is taken, and what nobody asked for."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.domain.errors import UnreadableFile
from newsletter.storage.database import reading
from newsletter.storage.models import LedgerRow, Subscription
from newsletter.subscriptions import takeover
from newsletter.subscriptions.importing import take
from newsletter.subscriptions.importing.entry import Why
from newsletter.subscriptions.importing.report import Fate

LIST = b"email,confirmed_at,source,language\nada@example.org,2020-05-01,Messe,en\nhedy@example.net,,,\n"


def test_a_row_is_taken_with_its_proof_and_by_whom_and_none_without_one(app: Flask) -> None:
    with app.app_context():
        upload = take.read(BytesIO(LIST), "lists/all.csv")
        report = take.take(upload, actor="dpo")
        with reading() as session:
            row = session.scalars(select(Subscription)).one()
            event = session.scalars(select(LedgerRow)).one()
        stated = takeover.evidence_of(row)

    assert (report.count(Fate.CONFIRMED), report.count(Why.NO_TIME)) == (1, 1)
    assert (event.actor, event.detail, row.locale, row.hold) == ("dpo", "list", "en", False)
    assert stated == {
        "origin": "list",
        "confirmed_at": "2020-05-01T00:00:00Z",
        "requested_at": None,
        "source": "Messe",
        "note": None,
        "file": hashlib.sha256(LIST).hexdigest(),
        "file_name": hashlib.sha256(b"all.csv").hexdigest(),
        "row": 2,
    }


def test_who_was_met_in_an_earlier_batch_of_a_dry_run_is_known(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take, "BATCH", 1)
    people = [f"{who}@example.org,2020-05-01" for who in ("ada", "hedy", "ada")]
    with app.app_context():
        upload = take.read(BytesIO("\n".join(["email,confirmed_at", *people]).encode()), "all.csv")
        report = take.take(upload, actor="dpo", dry_run=True)

    rows = {fate: str(numbers) for fate, numbers in report.fates.items()}
    assert rows == {Fate.CONFIRMED: "2-3", Fate.KNOWN: "4"}


def test_whether_contacts_are_subscribed_is_told_by_the_files_name_alone() -> None:
    export = b"Email Address,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME\n"

    assert take.read(BytesIO(export), "lists/subscribed_export.csv").table.length == 1
    with pytest.raises(UnreadableFile):
        take.read(BytesIO(export), "subscribed_lists/export.csv")
