"""The endpoints for staff."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import ClientWith
from tests.people import (
    ADA,
    GRACE,
    STAFF,
    STAFF_TOKEN,
    access,
    ask_staff,
    confirm,
    sign_up,
    status_of,
)
from tests.web.callers import BROWSER

ENDPOINTS = ["erasures", "access", "blocks", "lifts", "holds", "rectifications"]
FORM_OF_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
FIELDS: dict[str, dict[str, Any]] = {
    "blocks": {"reason": "staff"},
    "holds": {"hold": True},
    "rectifications": {"new_email": GRACE},
}


@pytest.mark.requires("R70")
@pytest.mark.parametrize("endpoint_name", ENDPOINTS)
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer ü",
        "Basic ZHBvOng=",
        "dpo:x",
        "Bearer dpo",
    ],
)
def test_every_endpoint_refuses_without_a_token(
    any_client: FlaskClient, endpoint_name: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = any_client.post(f"/admin/{endpoint_name}", json={"email": ADA}, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="newsletter staff"'
    assert answer.mimetype == "application/problem+json"


@pytest.mark.requires("R70")
def test_a_token_in_the_url_opens_nothing(any_client: FlaskClient) -> None:
    path = f"/admin/access?access_token={STAFF_TOKEN}&token={STAFF_TOKEN}"

    assert (
        any_client.post(path, json={"email": ADA, "access_token": STAFF_TOKEN}).status_code == 401
    )


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_the_token_is_checked_first(any_client: FlaskClient, method: str) -> None:
    answer = any_client.open("/admin/erasures", method=method, data=b"{" * 20_000)

    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["access", "erasures/x", "nowhere"])
def test_without_admin_tokens_every_endpoint_answers_404(
    client_with: ClientWith, path: str
) -> None:
    client = client_with(ADMIN_TOKENS="")

    assert client.post(f"/admin/{path}", headers=STAFF).status_code == 404
    assert client.get(f"/admin/{path}", headers=STAFF).status_code == 404


def test_an_unknown_path_is_not_found_with_and_without_a_token(any_client: FlaskClient) -> None:
    assert any_client.get("/admin/nowhere").status_code == 404
    assert any_client.get("/admin/nowhere", headers=STAFF).status_code == 404


@pytest.mark.requires("R70")
@pytest.mark.parametrize("token", ["first-token", "second=tokén"])
def test_each_token_opens(client_with: ClientWith, token: str) -> None:
    client = client_with(ADMIN_TOKENS="dpo:first-token,support:second=tokén")
    sent = f"bearer {token}".encode().decode("latin-1")

    answer = client.post(
        "/admin/blocks", json={"email": ADA, "reason": "staff"}, headers={"Authorization": sent}
    )

    assert answer.status_code == 202


@pytest.mark.requires("R70")
@pytest.mark.parametrize("endpoint_name", ENDPOINTS)
def test_a_token_that_only_sees_changes_nothing(
    client_with: ClientWith, endpoint_name: str
) -> None:
    client = client_with(ADMIN_TOKENS="dpo:first-token:read")
    sees = {"Authorization": "Bearer first-token"}

    for body in ({"email": ADA, **FIELDS.get(endpoint_name, {})}, {}):
        answer = client.post(f"/admin/{endpoint_name}", json=body, headers=sees)
        if endpoint_name == "access":
            assert answer.status_code in (404, 422)
        else:
            assert answer.status_code == 403
            assert answer.get_json()["type"].endswith("/problems#forbidden")


@pytest.mark.requires("R70")
def test_the_ledger_records_the_name_of_the_token(client_with: ClientWith) -> None:
    client = client_with(ADMIN_TOKENS="dpo:first-token,support:second-token")
    support = {"Authorization": "Bearer second-token"}

    client.post("/admin/blocks", json={"email": ADA, "reason": "staff"}, headers=support)

    held = client.post("/admin/access", json={"email": ADA}, headers=support)
    assert "support" in held.text


@pytest.mark.parametrize("endpoint_name", ENDPOINTS)
@pytest.mark.parametrize("email", [None, 1, ["x"], "", "garbled", "a\n@example.com"])
def test_an_invalid_address_is_refused(
    any_client: FlaskClient, endpoint_name: str, email: Any
) -> None:
    answer = ask_staff(any_client, endpoint_name, email, **FIELDS.get(endpoint_name, {}))

    assert answer.status_code == 422


@pytest.mark.parametrize("endpoint_name", ENDPOINTS)
def test_an_unknown_field_is_refused_and_not_repeated(
    any_client: FlaskClient, endpoint_name: str
) -> None:
    answer = ask_staff(
        any_client, endpoint_name, ADA, keep_blok=True, **FIELDS.get(endpoint_name, {})
    )

    assert answer.status_code == 422
    assert "keep_blok" not in answer.text


@pytest.mark.parametrize("endpoint_name", ENDPOINTS)
def test_a_form_is_not_taken(any_client: FlaskClient, endpoint_name: str) -> None:
    assert (
        any_client.post(f"/admin/{endpoint_name}", data={"email": ADA}, headers=STAFF).status_code
        == 415
    )


@pytest.mark.parametrize("endpoint_name", ENDPOINTS)
def test_an_address_in_the_url_is_not_read(any_client: FlaskClient, endpoint_name: str) -> None:
    answer = any_client.post(f"/admin/{endpoint_name}?email={ADA}", json={}, headers=STAFF)

    assert answer.status_code == 422


def test_errors_are_never_pages(any_client: FlaskClient) -> None:
    answer = any_client.post("/admin/access", json={"email": ADA}, headers=STAFF | BROWSER)

    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


@pytest.mark.requires("R55")
def test_an_erasure_is_accepted_and_can_be_viewed(
    client: FlaskClient, letter: EmailMessage
) -> None:
    answer = ask_staff(client, "erasures", ADA)

    assert (answer.status_code, answer.get_json()["status"]) == (202, "pending")
    shown = client.get(answer.location, headers=STAFF)
    assert shown.get_json() == answer.get_json()
    assert {place["place"] for place in shown.get_json()["places"]} >= {"database", "mailchimp"}


def test_erasing_an_unknown_address_is_accepted(client: FlaskClient) -> None:
    first, again = ask_staff(client, "erasures", ADA), ask_staff(client, "erasures", ADA)

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.get_json()["id"] == first.get_json()["id"]


@pytest.mark.parametrize("keep_block", ["true", 1, None, "yes"])
def test_keep_block_is_true_or_false(any_client: FlaskClient, keep_block: Any) -> None:
    assert ask_staff(any_client, "erasures", ADA, keep_block=keep_block).status_code == 422


def test_a_kept_block_keeps_the_address_out(client: FlaskClient, letter: EmailMessage) -> None:
    ask_staff(client, "erasures", ADA, keep_block=True)
    sign_up(client, ADA)

    assert access(client, ADA)["status"] == "blocked"


@pytest.mark.parametrize("id_", ["unknown", "0" * 32, "%00", "ü", "x" * 5000])
def test_an_unknown_erasure_is_not_found(client: FlaskClient, id_: str) -> None:
    assert client.get(f"/admin/erasures/{id_}", headers=STAFF).status_code == 404


@pytest.mark.requires("R59")
def test_access_returns_the_stored_data(client: FlaskClient, letter: EmailMessage) -> None:
    held = access(client, ADA)

    assert (held["email"], held["status"]) == ("Ada@example.org", "pending")


def test_access_is_text_if_accept_prefers_it(client: FlaskClient, letter: EmailMessage) -> None:
    prefers = STAFF | {"Accept": "text/plain, application/json;q=0.5"}

    answer = client.post("/admin/access", json={"email": ADA, "locale": "en"}, headers=prefers)

    assert answer.mimetype == "text/plain"
    assert "E-mail address: Ada@example.org" in answer.text


@pytest.mark.parametrize(
    ("locale", "right"), [("de", "Auskunft (Art. 15 DSGVO)"), ("en", "access (Art. 15 GDPR)")]
)
def test_access_is_in_the_requested_language(
    client: FlaskClient, letter: EmailMessage, locale: str, right: str
) -> None:
    held = ask_staff(client, "access", ADA, locale=locale).get_json()

    assert held["rights"][0] == right


def test_access_speaks_the_language_that_the_request_asks_for_and_else_the_persons(
    client: FlaskClient, letter: EmailMessage
) -> None:
    def access_of(**headers: str) -> str:
        answer = client.post("/admin/access", json={"email": ADA}, headers=STAFF | headers)
        told: str = answer.get_json()["rights"][0]
        return told

    assert access_of().startswith("Auskunft")
    assert access_of(**{"Accept-Language": "en"}).startswith("access")
    assert access_of(**{"Accept-Language": "fr"}).startswith("Auskunft")


def test_access_speaks_no_other_language(any_client: FlaskClient) -> None:
    assert ask_staff(any_client, "access", ADA, locale="fr").status_code == 422


def test_access_to_nothing_is_not_found(client: FlaskClient) -> None:
    answer = ask_staff(client, "access", ADA)

    assert answer.status_code == 404
    assert answer.get_json()["type"].endswith("/problems#nobody-known")


@pytest.mark.requires("R50")
@pytest.mark.parametrize("reason", ["unsubscribed", "complaint", "bounce", "staff"])
def test_staff_block_for_each_of_their_reasons(
    client: FlaskClient, letter: EmailMessage, reason: str
) -> None:
    confirm(client, letter)

    answer = ask_staff(client, "blocks", ADA, reason=reason)

    assert (answer.status_code, answer.get_json()) == (202, {"status": "accepted"})
    assert access(client, ADA)["reason"] == reason


@pytest.mark.requires("R50")
@pytest.mark.parametrize("reason", ["not_me", "rectified", "removed_at_mailchimp", "", None])
def test_other_reasons_are_not_theirs(any_client: FlaskClient, reason: str | None) -> None:
    assert ask_staff(any_client, "blocks", ADA, reason=reason).status_code == 422


def test_blocking_an_unknown_address_is_not_found(client: FlaskClient) -> None:
    assert ask_staff(client, "blocks", ADA, reason="unsubscribed").status_code == 404


def test_lifting_makes_a_hard_block_soft(client: FlaskClient) -> None:
    ask_staff(client, "blocks", ADA, reason="staff")

    assert ask_staff(client, "lifts", ADA).status_code == 202
    assert access(client, ADA)["reason"] == "unsubscribed"


def test_unblocking_an_unknown_address_is_not_found(client: FlaskClient) -> None:
    assert ask_staff(client, "lifts", ADA).status_code == 404


def test_rectifying_asks_the_new_addresss_owner(client: FlaskClient, letter: EmailMessage) -> None:
    confirm(client, letter)

    assert ask_staff(client, "rectifications", ADA, new_email=GRACE).status_code == 202
    assert (status_of(client, ADA), status_of(client, GRACE)) == ("confirmed", "pending")


def test_rectifying_to_an_address_blocked_hard_is_a_conflict(
    client: FlaskClient, letter: EmailMessage
) -> None:
    ask_staff(client, "blocks", GRACE, reason="staff")

    assert ask_staff(client, "rectifications", ADA, new_email=GRACE).status_code == 409


def test_characters_beyond_ascii_are_not_escaped(client: FlaskClient, letter: EmailMessage) -> None:
    answer = ask_staff(client, "access", ADA)

    assert "\\u" not in answer.text
    assert not answer.text.isascii()


def test_all_times_have_one_form(client: FlaskClient, letter: EmailMessage) -> None:
    confirm(client, letter)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    held = ask_staff(client, "access", ADA).text
    erased = ask_staff(client, "erasures", ADA).text

    times = re.findall(r"\d{4}-\d\d-\d\dT[^\s\"]*", held + erased)
    assert len(times) > 10
    assert [each for each in times if not FORM_OF_TIMES.fullmatch(each)] == []
