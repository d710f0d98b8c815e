"""GET /lists/{id}/members and the list itself."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.mailchimp import StandIn
from tests.people import ADA, GRACE
from tests.sandbox.conftest import Call
from tests.sandbox.paths import LIST, MEMBERS

NOON, LATER = "2026-11-22T12:00:00+00:00", "2026-11-22T12:00:01+00:00"


@pytest.fixture
def two(mailchimp: StandIn) -> StandIn:
    """Ada, changed at noon, and Grace, who left a second later."""
    mailchimp.add(ADA).last_changed = NOON
    mailchimp.add(GRACE, "unsubscribed").last_changed = LATER
    return mailchimp


def listed(answer: Any) -> list[str]:
    return [member["email_address"] for member in answer.json()["members"]]


def test_ten_are_listed_unless_more_are_asked_for(mailchimp: StandIn, call: Call) -> None:
    for number in range(12):
        mailchimp.add(f"person{number}@example.com")

    answer = call("GET", MEMBERS)

    assert len(listed(answer)) == 10
    assert answer.json()["total_items"] == 12
    assert answer.json()["list_id"] == mailchimp.list_id


def test_pages_follow_each_other(two: StandIn, call: Call) -> None:
    pages = [listed(call("GET", f"{MEMBERS}?count=1&offset={offset}")) for offset in range(3)]

    assert pages == [[ADA], [GRACE], []]


@pytest.mark.parametrize("count", ["1001", "-1", "many"])
def test_no_more_than_a_thousand_may_be_asked_for(call: Call, count: str) -> None:
    answer = call("GET", f"{MEMBERS}?count={count}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "count"


def test_the_archived_are_listed_only_by_their_status(two: StandIn, call: Call) -> None:
    two.is_archived(ADA)

    assert listed(call("GET", MEMBERS)) == [GRACE]
    assert listed(call("GET", f"{MEMBERS}?status=archived")) == [ADA]


def test_a_status_filters(two: StandIn, call: Call) -> None:
    assert listed(call("GET", f"{MEMBERS}?status=subscribed")) == [ADA]


def test_an_unknown_status_is_refused(two: StandIn, call: Call) -> None:
    assert call("GET", f"{MEMBERS}?status=confirmed").status_code == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"since_last_changed": NOON}, [GRACE]),
        ({"since_last_changed": "2026-11-22T11:59:59+00:00"}, [ADA, GRACE]),
        ({"before_last_changed": LATER}, [ADA]),
        ({"unsubscribed_since": NOON, "status": "unsubscribed"}, [GRACE]),
    ],
)
def test_times_filter(two: StandIn, call: Call, query: dict[str, str], found: list[str]) -> None:
    assert listed(call("GET", MEMBERS, params=query)) == found


def test_the_offset_of_a_time_is_ignored(two: StandIn, call: Call) -> None:
    query = {"since_last_changed": "2026-11-22T12:00:00+02:00"}  # 10:00 UTC, if it were heard

    assert listed(call("GET", MEMBERS, params=query)) == [GRACE]


@pytest.mark.parametrize(
    "query",
    ["since_last_changed=soon", "unsubscribed_since=2026-11-22", "sort_field=id", "sort_dir=UP"],
)
def test_an_odd_query_is_refused(two: StandIn, call: Call, query: str) -> None:
    assert call("GET", f"{MEMBERS}?{query}").status_code == 400


def test_the_newest_change_can_come_first(two: StandIn, call: Call) -> None:
    answer = call("GET", f"{MEMBERS}?sort_field=last_changed&sort_dir=DESC")

    assert listed(answer) == [GRACE, ADA]


def test_fields_leave_out_everything_else(two: StandIn, call: Call) -> None:
    answer = call("GET", f"{MEMBERS}?fields=total_items,members.email_address&count=1")

    assert answer.json() == {"members": [{"email_address": ADA}], "total_items": 2}


def test_exclude_fields_leave_out_themselves(two: StandIn, call: Call) -> None:
    answer = call("GET", f"{MEMBERS}?exclude_fields=list_id,members.email_address").json()

    assert "list_id" not in answer
    assert "email_address" not in answer["members"][0]


def test_fields_and_exclude_fields_exclude_each_other(two: StandIn, call: Call) -> None:
    assert call("GET", f"{MEMBERS}?fields=members&exclude_fields=members.id").status_code == 400


def test_the_list_counts_its_members(two: StandIn, call: Call) -> None:
    answer = call("GET", f"{LIST}?fields=id,double_optin,stats").json()

    stats = {"member_count": 1, "unsubscribe_count": 1, "cleaned_count": 0}
    assert answer == {"id": two.list_id, "double_optin": False, "stats": stats}
