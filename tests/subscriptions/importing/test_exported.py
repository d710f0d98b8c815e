"""What is taken of an export of another such service, line by line."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from newsletter.domain.address import Address
from newsletter.domain.errors import UnreadableFile
from newsletter.domain.lifecycle import Reason
from newsletter.subscriptions.importing import exported
from newsletter.subscriptions.importing.entry import Entry, Refused, Why
from newsletter.subscriptions.importing.exported import LONGEST_LINE

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND = datetime(2019, 3, 5, 10, tzinfo=UTC), datetime(2019, 3, 5, 11, tzinfo=UTC)
HEAD = b'{"format": "newsletter-export/1"}\n'
EVIDENCE: dict[str, str | int | None] = {
    "origin": "double_opt_in",
    "requested_at": "2019-03-05T10:00:00Z",
    "confirmed_at": "2019-03-05T11:00:00Z",
    "export_row": 7,
    "note": None,
}
LINE = {
    "email": "ada@example.org",
    "reference": "r",
    "status": "confirmed",
    "reason": None,
    "language": "en",
    "hold": False,
    "left_at": None,
    "evidence": EVIDENCE,
}
CONFIRMED = Entry(
    Address.parse("ada@example.org"),
    "newsletter",
    language="en",
    requested_at=FIRST,
    confirmed_at=SECOND,
    stated=EVIDENCE,
)


def entry(**changed: Any) -> Entry:
    return exported.entry({**LINE, **changed}, NOW)


def test_a_line_is_taken_with_its_evidence() -> None:
    assert entry() == CONFIRMED
    assert entry(hold=True).is_held


@pytest.mark.parametrize("status", ["blocked", "returning"])
def test_who_left_stays_away_since_then(status: str) -> None:
    left = entry(status=status, reason="complaint", left_at="2019-03-05T11:00:00Z")

    assert (left.reason, left.left_at, left.kept_since) == (Reason.COMPLAINT, SECOND, SECOND)


@pytest.mark.parametrize("evidence", [None, {}])
def test_a_consent_without_evidence_has_no_times(evidence: object) -> None:
    bare = entry(evidence=evidence, language=None)

    assert (bare.stated, bare.confirmed_at, bare.requested_at) == (None, None, None)
    assert bare.language is None


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"email": "nobody"}, Why.NO_ADDRESS),
        ({"email": 7}, Why.DAMAGED),
        ({"status": "gone"}, Why.DAMAGED),
        ({"status": "blocked", "reason": "weather"}, Why.DAMAGED),
        ({"left_at": 7}, Why.DAMAGED),
        ({"evidence": []}, None),
        ({"evidence": ["x"]}, Why.DAMAGED),
        ({"evidence": {"note": ["x"]}}, Why.DAMAGED),
        ({"evidence": {"confirmed_at": "yesterday"}}, Why.WRONG_TIME),
        ({"status": "pending"}, Why.PENDING),
    ],
)
def test_a_line_that_no_export_writes_is_refused(changed: dict[str, Any], why: Why | None) -> None:
    if why is None:
        assert entry(**changed).stated is None
        return
    with pytest.raises(Refused) as refused:
        entry(**changed)
    assert refused.value.why is why


def test_a_line_without_evidence_is_damaged() -> None:
    with pytest.raises(Refused) as refused:
        exported.entry({"email": "ada@example.org", "status": "confirmed"}, NOW)
    assert refused.value.why is Why.DAMAGED


def test_an_export_is_told_by_its_beginning_and_read_to_its_end() -> None:
    content = HEAD + b'{"a": 1}\n{"b": 2}\n'
    file = BytesIO(content)
    file.read()

    assert exported.is_one(file)
    assert not exported.is_one(BytesIO(b"x" + content))
    lines = exported.read(file, "all")
    for _ in "once", "again":
        assert list(lines.rows()) == [(2, {"a": 1}), (3, {"b": 2})]
    assert (lines.name, lines.length) == ("all", 3)
    assert lines.digest == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"7", b"[" * 100_000, b"\xff", b'{"a": "' + b"x" * LONGEST_LINE + b'"}'],
    ids=lambda line: f"{line[:5]}",
)
def test_a_line_that_is_no_object_is_named(line: bytes) -> None:
    why = r"^Line 3 is no JSON object\. Nothing was taken\.$"
    with pytest.raises(UnreadableFile, match=why):
        exported.read(BytesIO(HEAD + json.dumps(LINE).encode() + b"\n" + line), "all")
