"""The description of every endpoint."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from newsletter.domain.address import LONGEST, Address
from newsletter.domain.errors import InvalidAddress
from newsletter.web.openapi.document import path_of
from newsletter.web.schemas.email import LENIENT, STRICT
from tests.conftest import IS_LONG
from tests.people import ADA, JSON

BY_ITSELF = {"HEAD", "OPTIONS"}


@pytest.fixture
def document(any_client: FlaskClient) -> dict[str, Any]:
    """The description as it is served."""
    served: dict[str, Any] = any_client.get("/openapi.json").get_json()
    return served


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_it_describes_every_endpoint_and_no_other(
    any_client: FlaskClient, document: dict[str, Any]
) -> None:
    there = {
        (path_of(rule), method)
        for rule in any_client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - BY_ITSELF
        if not rule.endpoint.startswith("desk.")
    }

    described = {
        (path, method.upper())
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert described == there


def test_every_admin_endpoint_asks_for_the_token(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert (operation.get("security") == [{"token": []}]) == path.startswith(
                ("/admin/", "/metrics")
            )


def test_a_token_is_optional_where_it_adds_details(document: dict[str, Any]) -> None:
    assert document["paths"]["/ready"]["get"]["security"] == [{"token": []}, {}]


def test_every_sign_up_is_json_or_a_form(document: dict[str, Any]) -> None:
    body = document["paths"]["/subscriptions"]["post"]["requestBody"]["content"]

    assert set(body) == {
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }


@pytest.mark.requires("R6", "R7")
def test_a_sign_up_asks_for_nothing_but_the_address(document: dict[str, Any]) -> None:
    asked = document["components"]["schemas"]["SignUp"]

    assert set(asked["properties"]) == {"email", "locale", "wording", "form", "next", "homepage"}
    assert asked["required"] == ["email"]


def test_no_endpoint_promises_a_410_to_mailchimp(document: dict[str, Any]) -> None:
    hook = document["paths"]["/webhooks/mailchimp/{secret}"]["post"]["responses"]

    assert "204" in hook
    assert "410" not in hook


def test_every_example_of_a_field_fits_it(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    wrong = [
        (name, field, error.message)
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        for example in described.get("examples", ())
        for error in OAS31Validator(
            {**described, "components": document["components"]}
        ).iter_errors(example)
    ]

    assert wrong == []


def test_the_wording_to_send_is_the_one_that_is_shown(
    any_client: FlaskClient, document: dict[str, Any]
) -> None:
    shown = any_client.get("/", headers=JSON).get_json()["wording"]

    field = document["components"]["schemas"]["SignUp"]["properties"]["wording"]
    assert shown in field["anyOf"][0]["enum"]


def fitting(pattern: str, local_part: str) -> st.SearchStrategy[str]:
    """Texts that fit a pattern; from the whole of it, which looks ahead, they would be found by trial and error."""
    labels = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", fullmatch=True)
    umlauts = st.from_regex(r"[A-Za-zà-öø-ÿ](?:[a-z0-9à-öø-ÿ-]{0,22}[a-zà-öø-ÿ])?", fullmatch=True)
    last = st.from_regex(r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z])?", fullmatch=True)
    return st.builds(
        lambda local, before, label, last: f"{local}@{'.'.join([*before, label, last])}",
        st.from_regex(local_part, fullmatch=True),
        st.lists(labels, max_size=2),
        labels | umlauts,
        last,
    ).filter(re.compile(pattern).search)


@given(fitting(STRICT, r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}"))
@settings(max_examples=300 if IS_LONG else 100)
def test_what_fits_the_pattern_of_an_address_is_one(given_text: str) -> None:
    assume(len(given_text) <= LONGEST)

    Address.parse(given_text)


@given(fitting(LENIENT, r'"[ !#-;=?-\[\]-~¡-¬®-˿]*"|[!#-;=?A-~¡-¬®-˿]+'))
@settings(max_examples=300 if IS_LONG else 100)
def test_an_address_that_matches_the_lenient_pattern_is_accepted(given_text: str) -> None:
    assume(len(given_text) <= 4 * LONGEST)

    Address.parse_leniently(given_text)


@pytest.mark.parametrize(
    "address",
    [
        ADA,
        "a@b.co",
        "first.last+tag@sub-domain.example.co.uk",
        f"{'x' * 64}@example.com",
        f"a@{'x' * 63}.de",
        "o'neill!#$%&*/=?^_`{|}~-@example.org",
        "info@müller.de",
        "info@xn--mller-kva.de",
        "1@2.com",
    ],
)
def test_the_strict_pattern_matches_every_valid_address(address: str) -> None:
    Address.parse(address)
    assert re.search(STRICT, address)


@pytest.mark.parametrize(
    "address",
    [
        "1@2.com",
        f"a@b.c.d.e.{'x' * 63}.de",
        "grüße@müller.de",
        '"ada lovelace"@localhost',
        "a..b@xn--x.de",
    ],
)
def test_the_pattern_of_a_held_address_turns_nobody_away(address: str) -> None:
    Address.parse_leniently(address)
    assert re.search(LENIENT, address)


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com> NOTIFY=SUCCESS",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "ada@example.com.",
        "=?utf-8?q?x?=@example.com",
        "<ada@example.com",
    ],
)
def test_the_pattern_of_a_held_address_refuses_what_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        Address.parse_leniently(text)
    assert not re.search(LENIENT, text)


@pytest.mark.parametrize(
    "text",
    [
        "ada",
        "@example.com",
        "ada@example",
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        "ada@-example.com",
        "ada@example-.com",
        "ada@ex--ample.com",
        "ada@example.test",
        "ada@example.c0m1",
        "ädä@example.com",
        f"{'x' * 65}@example.com",
        f"a@{'x' * 64}.de",
    ],
)
def test_the_pattern_refuses_what_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        Address.parse(text)
    assert not re.search(STRICT, text)
