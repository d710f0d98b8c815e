"""Wrong admin tokens."""

from __future__ import annotations

import logging

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from newsletter.web.http.wrong_tokens import MOST, SECONDS
from tests.conftest import ClientWith, Clock
from tests.people import ADA, STAFF, STAFF_TOKEN, said_by

WRONG = {"Authorization": "Bearer wrong-token-0123456789-abcdefg"}
HERE = {"REMOTE_ADDR": "198.51.100.7"}
THERE = {"REMOTE_ADDR": "198.51.100.8"}

pytestmark = pytest.mark.usefixtures("clock")


def look(client: FlaskClient, headers: dict[str, str], peer: dict[str, str] = HERE) -> TestResponse:
    return client.post(
        "/admin/access", json={"email": ADA}, headers=headers, environ_overrides=peer
    )


def guess(client: FlaskClient, times: int) -> list[int]:
    return [look(client, WRONG).status_code for _ in range(times)]


def test_after_ten_of_them_a_client_waits_with_the_right_one_too(
    client_with: ClientWith, clock: Clock
) -> None:
    client = client_with()
    assert guess(client, MOST + 1) == [401] * MOST + [429]

    refused = look(client, STAFF)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == str(SECONDS)
    assert look(client, STAFF, THERE).status_code == 404

    clock.shift(SECONDS)
    assert look(client, STAFF).status_code == 404


def test_right_ones_and_none_do_not_count(client_with: ClientWith) -> None:
    client = client_with()
    for _ in range(MOST + 1):
        look(client, STAFF)
        look(client, {})

    assert look(client, STAFF).status_code == 404


def test_where_a_token_is_optional_too_many_are_as_none(client_with: ClientWith) -> None:
    client = client_with()
    guess(client, MOST)

    answer = client.get("/ready", headers=STAFF, environ_overrides=HERE)

    assert answer.status_code == 200
    assert "reasons" not in said_by(answer)


def test_behind_a_proxy_that_is_not_believed_nobody_can_shut_staff_out(
    client_with: ClientWith,
) -> None:
    client = client_with()
    forwarded = {"X-Forwarded-For": "198.51.100.9"}
    for _ in range(MOST + 1):
        look(client, {**WRONG, **forwarded}, {"REMOTE_ADDR": "127.0.0.1"})

    assert look(client, {**STAFF, **forwarded}, {"REMOTE_ADDR": "127.0.0.1"}).status_code == 404


@pytest.mark.parametrize("path", ["/admin/erasures/<erasure_id>", "/ready"])
def test_each_is_logged_without_the_token_and_the_client(
    client_with: ClientWith, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    client = client_with()
    with caplog.at_level(logging.WARNING):
        client.get(path, headers=WRONG, environ_overrides=HERE)

    assert f"a wrong admin token was sent: GET {path}" in caplog.messages
    for hidden in (WRONG["Authorization"].split()[1], STAFF_TOKEN, "198.51.100.7"):
        assert hidden not in caplog.text


def test_without_any_admin_token_nothing_is_counted_or_logged(
    client_with: ClientWith, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_with(ADMIN_TOKENS="")

    assert set(guess(client, MOST + 1)) == {404}
    assert "wrong admin token" not in caplog.text
