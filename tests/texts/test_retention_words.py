"""How long a person's data is kept, as dates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from newsletter.config import Locale, load
from newsletter.domain.lifecycle import Reason, Status
from newsletter.storage.models import Subscription
from newsletter.texts import retention_words
from tests.conftest import COMPANY

LEFT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN = load(COMPANY)


def somebody(status: Status, **columns: Any) -> Subscription:
    return Subscription(**{"status": status, "hold": False, "address": b"encrypted", **columns})


def retention_of(row: Subscription | None, locale: Locale = "en") -> str:
    with time_machine.travel(LEFT, tick=False):
        return retention_words.retention(row, PLAIN, locale)


def test_a_pending_request_ends_with_its_link() -> None:
    row = somebody(Status.PENDING, expires_at=datetime(2026, 3, 8, 12, tzinfo=UTC))

    assert retention_of(row).startswith(
        "deleted unless confirmed, by 9 March 2026, 13:00 (CET) at the latest"
    )
    assert "spätestens am 9. März 2026" in retention_of(row, "de")


def test_a_consent_names_the_day_its_proof_would_end() -> None:
    assert "if withdrawn today, until 31 December 2029" in retention_of(somebody(Status.CONFIRMED))


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBED, Reason.BOUNCE])
def test_a_soft_block_ends_with_its_proof(reason: Reason) -> None:
    row = somebody(Status.BLOCKED, reason=reason, left_at=LEFT)

    assert retention_of(row).startswith(
        "until 31 December 2029, then deleted. The log of events stays"
    )


@pytest.mark.parametrize("reason", [Reason.COMPLAINT, Reason.NOT_ME, Reason.STAFF])
def test_of_a_hard_block_the_digest_stays(reason: Reason) -> None:
    row = somebody(Status.BLOCKED, reason=reason, left_at=LEFT)

    assert retention_of(row).startswith("until 31 December 2029, then deleted; a code")


def test_a_bare_digest_is_kept_until_the_block_ends() -> None:
    row = somebody(Status.BLOCKED, reason=Reason.STAFF, left_at=LEFT, address=None)

    assert retention_of(row).startswith("a code from which the address cannot be read stays until")


def test_nothing_ends_while_processing_is_restricted() -> None:
    row = somebody(Status.BLOCKED, reason=Reason.UNSUBSCRIBED, left_at=LEFT, hold=True)

    assert "as long as processing is restricted, nothing ends by itself. The log" in retention_of(
        row
    )


@pytest.mark.parametrize("status", [Status.PENDING, Status.CONFIRMED, Status.BLOCKED])
def test_the_log_of_events_is_said_to_stay(status: Status) -> None:
    row = somebody(status, reason=Reason.STAFF, left_at=LEFT, expires_at=LEFT)

    assert retention_of(row, "de").endswith("ist es für uns nicht mehr zuordenbar")
