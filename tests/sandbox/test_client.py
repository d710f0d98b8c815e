"""Mailchimp's own client, mailchimp-marketing 3.0.80, against the stand-in."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from mailchimp_marketing import Client
from mailchimp_marketing.api_client import ApiClientError

from sandbox.mailchimp import StandIn, answers, id_of, problems
from tests.people import ADA, GRACE


@pytest.fixture
def client(mailchimp: StandIn, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client, connected to the stand-in."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client = Client({"api_key": mailchimp.api_key, "timeout": 5})
    client.api_client.host = mailchimp.api_url
    return client


def put(client: Any, list_id: str, email: str) -> Any:
    body = {"email_address": email, "status_if_new": "subscribed", "status": "subscribed"}
    return client.lists.set_list_member(list_id, id_of(email), body)


def test_it_pings(client: Any) -> None:
    assert client.ping.get() == {"health_status": "Everything's Chimpy!"}


def test_it_puts_and_gets_a_member(mailchimp: StandIn, client: Any) -> None:
    put(client, mailchimp.list_id, ADA)

    assert client.lists.get_list_member(mailchimp.list_id, id_of(ADA))["email_address"] == ADA


def test_it_lists_members_with_chosen_fields(mailchimp: StandIn, client: Any) -> None:
    mailchimp.add(ADA)

    found = client.lists.get_list_members_info(
        mailchimp.list_id, fields=["members.id", "total_items"], count=1000
    )

    assert found == {"members": [{"id": id_of(ADA)}], "total_items": 1}


def test_it_sends_a_batch(mailchimp: StandIn, client: Any) -> None:
    members = [{"email_address": it, "status": "subscribed"} for it in (ADA, GRACE)]

    answer = client.lists.batch_list_members(
        mailchimp.list_id, {"members": members}, skip_merge_validation=True
    )

    assert answer["total_created"] == 2


def test_it_deletes_for_ever_with_an_empty_204(mailchimp: StandIn, client: Any) -> None:
    mailchimp.add(ADA)

    answer = client.lists.delete_list_member_permanent(mailchimp.list_id, id_of(ADA))

    assert isinstance(answer, requests.Response)
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_problem_reaches_it_as_text(mailchimp: StandIn, client: Any) -> None:
    mailchimp.forgotten.add(ADA)

    with pytest.raises(ApiClientError) as raised:
        put(client, mailchimp.list_id, ADA)

    assert raised.value.status_code == 400
    assert "Forgotten Email Not Subscribed" in raised.value.text


def test_an_empty_429_is_no_exception_to_it(mailchimp: StandIn, client: Any) -> None:
    mailchimp.answer_next(answers.throttled())

    answer = put(client, mailchimp.list_id, ADA)

    assert answer.status_code == 429


def test_a_dropped_connection_has_no_status(mailchimp: StandIn, client: Any) -> None:
    mailchimp.answer_next(answers.DROPPED)

    with pytest.raises(ApiClientError) as raised:
        put(client, mailchimp.list_id, ADA)

    assert raised.value.status_code is None


def test_the_wrong_key_is_a_problem_too(mailchimp: StandIn, client: Any) -> None:
    mailchimp.answer_next(problems.key_disabled())

    with pytest.raises(ApiClientError) as raised:
        client.ping.get()

    assert raised.value.status_code == 401
