"""The one rule by which people here and at Mailchimp are compared, row by row."""

from __future__ import annotations

import pytest

from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.worker.reconcile.drift import Drift, judge
from newsletter.worker.reconcile.walk import limit_for

SUBSCRIBED, UNSUBSCRIBED = MailchimpStatus.SUBSCRIBED, MailchimpStatus.UNSUBSCRIBED
AWAITING, ABSENT, REFUSED, UNKNOWN = (
    MailchimpStatus.AWAITING,
    MailchimpStatus.ABSENT,
    MailchimpStatus.REFUSED,
    MailchimpStatus.UNKNOWN,
)

CONFIRMED_ROWS = [
    # known, stands there, was there in this round, so
    (SUBSCRIBED, SUBSCRIBED, True, None),
    (SUBSCRIBED, SUBSCRIBED, False, None),
    (SUBSCRIBED, AWAITING, True, Drift.MISTAKEN),
    (SUBSCRIBED, AWAITING, False, Drift.MISTAKEN),
    (SUBSCRIBED, UNSUBSCRIBED, True, Drift.LEFT),
    (SUBSCRIBED, UNSUBSCRIBED, False, Drift.NEVER_CAME),
    (SUBSCRIBED, ABSENT, True, Drift.GONE),
    (SUBSCRIBED, ABSENT, False, Drift.NEVER_CAME),
    (AWAITING, SUBSCRIBED, False, Drift.MISTAKEN),
    (AWAITING, AWAITING, False, None),
    (AWAITING, UNSUBSCRIBED, True, Drift.LEFT),
    (AWAITING, UNSUBSCRIBED, False, None),
    (AWAITING, ABSENT, True, None),
    (AWAITING, ABSENT, False, None),
    (REFUSED, SUBSCRIBED, False, Drift.MISTAKEN),
    (REFUSED, AWAITING, False, Drift.MISTAKEN),
    (REFUSED, UNSUBSCRIBED, True, Drift.LEFT),
    (REFUSED, UNSUBSCRIBED, False, None),
    (REFUSED, ABSENT, True, None),
    (REFUSED, ABSENT, False, None),
]
OUT_ROWS = [
    # known, stands there, so
    (UNSUBSCRIBED, SUBSCRIBED, Drift.STILL_THERE),
    (UNSUBSCRIBED, AWAITING, Drift.STILL_THERE),
    (UNSUBSCRIBED, UNSUBSCRIBED, None),
    (UNSUBSCRIBED, ABSENT, None),
    (ABSENT, SUBSCRIBED, Drift.STILL_THERE),
    (ABSENT, AWAITING, Drift.STILL_THERE),
    (ABSENT, UNSUBSCRIBED, None),
    (ABSENT, ABSENT, None),
    (REFUSED, SUBSCRIBED, Drift.STILL_THERE),
    (REFUSED, UNSUBSCRIBED, None),
]


@pytest.mark.parametrize(("known", "place", "was_there", "drift"), CONFIRMED_ROWS)
def test_whoever_confirmed(
    known: MailchimpStatus, place: MailchimpStatus, was_there: bool, drift: Drift | None
) -> None:
    assert judge(wanted=SUBSCRIBED, known=known, place=place, was_there=was_there) is drift


@pytest.mark.parametrize(("known", "place", "drift"), OUT_ROWS)
@pytest.mark.parametrize("was_there", [True, False])
def test_whoever_is_to_get_nothing(
    known: MailchimpStatus, place: MailchimpStatus, was_there: bool, drift: Drift | None
) -> None:
    assert judge(wanted=UNSUBSCRIBED, known=known, place=place, was_there=was_there) is drift


@pytest.mark.parametrize("known", list(MailchimpStatus))
@pytest.mark.parametrize(
    ("wanted", "place", "drift"),
    [
        (SUBSCRIBED, UNSUBSCRIBED, Drift.LEFT),
        (UNSUBSCRIBED, UNSUBSCRIBED, Drift.LEFT),  # held: for when they are released
        (None, UNSUBSCRIBED, None),
    ],
)
def test_a_person_who_unsubscribed_there_after_the_backup_is_blocked(
    known: MailchimpStatus,
    wanted: MailchimpStatus | None,
    place: MailchimpStatus,
    drift: Drift | None,
) -> None:
    judged = judge(wanted=wanted, known=known, place=place, was_there=False, left_unknown=True)

    assert judged is drift


@pytest.mark.parametrize("place", list(MailchimpStatus))
@pytest.mark.parametrize("known", list(MailchimpStatus))
def test_an_unconfirmed_request_has_no_drift(
    known: MailchimpStatus, place: MailchimpStatus
) -> None:
    assert judge(wanted=None, known=known, place=place, was_there=False) is None


@pytest.mark.parametrize("place", [SUBSCRIBED, UNSUBSCRIBED, AWAITING, ABSENT])
@pytest.mark.parametrize(
    ("wanted", "known"),
    [
        (SUBSCRIBED, ABSENT),
        (SUBSCRIBED, UNKNOWN),
        (SUBSCRIBED, UNSUBSCRIBED),
        (UNSUBSCRIBED, SUBSCRIBED),
        (UNSUBSCRIBED, UNKNOWN),
        (UNSUBSCRIBED, AWAITING),
    ],
)
def test_differences_that_the_audience_loop_settles_are_left_to_it(
    wanted: MailchimpStatus, known: MailchimpStatus, place: MailchimpStatus
) -> None:
    assert judge(wanted=wanted, known=known, place=place, was_there=True) is None


@pytest.mark.parametrize(
    ("people", "limit"), [(0, 50), (2500, 50), (2600, 52), (100_000, 2000), (1_000_000, 20_000)]
)
def test_fifty_or_two_percent_change_without_confirmation(people: int, limit: int) -> None:
    assert limit_for(people) == limit
