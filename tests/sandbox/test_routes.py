"""Keys, lists, routes and methods: what every call meets first."""

from __future__ import annotations

import uuid

import pytest

from sandbox.mailchimp import StandIn
from tests.people import ADA
from tests.sandbox.conftest import Call
from tests.sandbox.paths import LIST, MEMBERS, path_of

PROBLEM = "application/problem+json; charset=utf-8"


def test_ping_is_answered_in_mailchimps_words(call: Call) -> None:
    answer = call("GET", "/ping")

    assert answer.json() == {"health_status": "Everything's Chimpy!"}
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_wrong_key_gets_401_word_for_word(call: Call) -> None:
    answer = call("GET", "/ping", auth=("user", "f" * 32 + "-us1"))

    problem = answer.json()
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == PROBLEM
    assert uuid.UUID(problem.pop("instance")).version == 4
    assert problem == {
        "title": "API Key Invalid",
        "status": 401,
        "detail": "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
    }


def test_no_key_gets_401_as_missing(call: Call) -> None:
    answer = call("GET", "/ping", auth=lambda request: request)

    assert answer.status_code == 401
    assert answer.json()["title"] == "API Key Missing"
    assert answer.json()["detail"] == "Your request did not include an API key."


@pytest.mark.parametrize("header", ["Bearer abc", "Basic !", "Basic YWJj", "Basic //79"])
def test_a_malformed_login_counts_as_an_invalid_key(call: Call, header: str) -> None:
    answer = call("GET", "/ping", auth=lambda it: it, headers={"Authorization": header})

    assert answer.json()["title"] == "API Key Invalid"


def test_a_refused_key_is_refused_until_it_is_accepted(mailchimp: StandIn, call: Call) -> None:
    mailchimp.refuse_key()
    refused = call("GET", "/ping")
    mailchimp.accept_key()

    assert refused.json()["title"] == "API Key Invalid"
    assert call("GET", "/ping").status_code == 200


@pytest.mark.parametrize("path", ["/lists/ffffffffff", "/lists/ffffffffff/members", "/nothing"])
def test_another_list_or_route_is_not_found(call: Call, path: str) -> None:
    problem = call("GET", path).json()

    assert problem["status"] == 404
    assert problem["title"] == "Resource Not Found"
    assert problem["detail"] == "The requested resource could not be found."


def test_a_path_outside_the_api_is_not_found(mailchimp: StandIn, call: Call) -> None:
    assert call("GET", "/../ping").status_code == 404


def test_a_lost_list_is_not_found_until_it_is_found(mailchimp: StandIn, call: Call) -> None:
    mailchimp.lose_list()
    lost = [call("GET", LIST).status_code, call("GET", "/ping").status_code]
    mailchimp.find_list()

    assert lost == [404, 200]
    assert call("GET", LIST).json()["id"] == mailchimp.list_id


def test_the_merge_fields_are_listed_with_those_that_are_required(
    mailchimp: StandIn, call: Call
) -> None:
    mailchimp.audience.required_merge_fields.add("LNAME")

    answer = call("GET", f"{LIST}/merge-fields?fields=merge_fields.tag,merge_fields.required")

    assert answer.json() == {
        "merge_fields": [{"tag": "FNAME", "required": False}, {"tag": "LNAME", "required": True}]
    }


def test_a_wrong_method_gets_405_and_the_right_ones(call: Call) -> None:
    answer = call("DELETE", MEMBERS)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST"
    assert answer.json()["title"] == "Method Not Allowed"
    assert answer.json()["detail"] == (
        "The requested method and resource are not compatible. See the Allow header for this "
        "resource's available methods."
    )


def test_a_body_not_declared_as_json_is_a_bad_request(call: Call) -> None:
    answer = call("PUT", path_of(ADA), data=b"{}", headers={"Content-Type": "text/plain"})

    assert answer.status_code == 400
    assert answer.json()["title"] == "Bad Request"


def test_a_body_that_is_not_json_cannot_be_parsed(call: Call) -> None:
    answer = call("PUT", path_of(ADA), data=b"{", headers={"Content-Type": "application/json"})

    assert answer.json()["title"] == "JSON Parse Exception"
    assert answer.json()["detail"] == "We encountered an unspecified JSON parsing error."


def test_every_problem_repeats_its_instance_as_the_requests_id(call: Call) -> None:
    answer = call("GET", path_of(ADA))

    assert answer.headers["X-Request-Id"] == answer.json()["instance"]
    assert "type" not in answer.json()
