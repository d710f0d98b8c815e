"""CLIENT_LIMIT."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.web.http.limits import network_of
from newsletter.web.http.shared_counts import SharedCounts
from tests.conftest import ClientWith
from tests.people import sign_up
from tests.web.callers import BROWSER

TWO = {"CLIENT_LIMIT": "2 per 10 minutes"}
HERE = {"REMOTE_ADDR": "198.51.100.7"}
THERE = {"REMOTE_ADDR": "198.51.100.8"}


def statuses(client: FlaskClient, *peers: dict[str, str]) -> list[int]:
    return [
        client.post(
            "/subscriptions", json={"email": f"ada{number}@example.org"}, environ_overrides=peer
        ).status_code
        for number, peer in enumerate(peers)
    ]


@pytest.mark.requires("R67")
def test_over_the_limit_retry_after_says_when_to_repeat(client_with: ClientWith) -> None:
    client = client_with(**TWO)
    statuses(client, HERE, HERE)

    answer = client.post("/subscriptions", json={"email": "x@example.org"}, environ_overrides=HERE)

    assert answer.status_code == 429
    assert answer.mimetype == "application/problem+json"
    assert 1 <= int(answer.headers["Retry-After"]) <= 600


def test_a_person_over_the_limit_gets_a_page(client_with: ClientWith) -> None:
    client = client_with(**TWO)
    statuses(client, HERE, HERE)

    answer = client.post("/subscriptions", headers=BROWSER, environ_overrides=HERE)

    assert (answer.status_code, answer.mimetype) == (429, "text/html")


def test_another_client_is_not_limited(client_with: ClientWith) -> None:
    assert statuses(client_with(**TWO), HERE, HERE, HERE, THERE) == [202, 202, 429, 202]


def test_the_limit_moves_with_time(client_with: ClientWith) -> None:
    with time_machine.travel("2026-03-01T12:00:00+00:00", tick=False) as clock:
        client = client_with(**TWO)
        before = statuses(client, HERE, HERE, HERE)
        clock.shift(601)

        assert (before, statuses(client, HERE)) == ([202, 202, 429], [202])


def test_there_is_no_doubling_around_the_end_of_a_window(client_with: ClientWith) -> None:
    with time_machine.travel("2026-03-01T12:00:00+00:00", tick=False) as clock:
        client = client_with(**TWO)
        first = statuses(client, HERE)
        clock.shift(599)
        late = statuses(client, HERE)
        clock.shift(2)

        assert (first, late, statuses(client, HERE, HERE)) == ([202], [202], [202, 429])


def test_a_refused_sign_up_does_not_count(client_with: ClientWith) -> None:
    with time_machine.travel("2026-03-01T12:00:00+00:00", tick=False) as clock:
        client = client_with(**TWO)
        statuses(client, HERE, HERE, HERE, HERE, HERE)
        clock.shift(601)

        assert statuses(client, HERE, HERE) == [202, 202]


def test_off_is_no_limit(client_with: ClientWith) -> None:
    assert set(statuses(client_with(CLIENT_LIMIT="off"), *[HERE] * 30)) == {202}


def test_looking_at_the_form_and_preflights_do_not_count(client_with: ClientWith) -> None:
    client = client_with(**TWO)
    for _ in range(5):
        client.get("/", environ_overrides=HERE)
        client.options("/subscriptions", environ_overrides=HERE)

    assert statuses(client, HERE, HERE) == [202, 202]


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "100.64.0.1", "fd00::1"])
def test_behind_an_unknown_proxy_it_is_not_applied_and_the_log_says_so_once(
    client_with: ClientWith, caplog: pytest.LogCaptureFixture, peer: str
) -> None:
    client = client_with(**TWO)
    proxied = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "198.51.100.7"}

    assert statuses(client, *[proxied] * 5) == [202] * 5
    assert caplog.text.count("TRUSTED_PROXIES is 0") == 1


@pytest.mark.requires("R68")
def test_a_stranger_cannot_switch_it_off(client_with: ClientWith) -> None:
    forged = {**HERE, "HTTP_X_FORWARDED_FOR": "203.0.113.1"}

    assert statuses(client_with(**TWO), forged, forged, forged) == [202, 202, 429]


def test_behind_a_trusted_proxy_clients_are_counted_separately(client_with: ClientWith) -> None:
    client = client_with(**TWO, TRUSTED_PROXIES="1")
    ada, grace = ({"HTTP_X_FORWARDED_FOR": f"1.1.1.1, 198.51.100.{n}"} for n in (7, 8))

    assert statuses(client, ada, ada, ada, grace) == [202, 202, 429, 202]


def test_with_its_storage_away_a_process_counts_by_itself(
    client_with: ClientWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_with(**TWO)
    (limiter,) = client.application.extensions["limiter"]

    def refuse(*_: object, **__: object) -> bool:
        raise ConnectionError

    monkeypatch.setattr(limiter._limiter, "hit", refuse)

    assert statuses(client, HERE, HERE, HERE, THERE) == [202, 202, 429, 202]


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"


def test_a_redis_that_never_answers_is_not_waited_for(client_with: ClientWith, silent: str) -> None:
    client = client_with(**TWO, STORAGE_URI=silent)

    assert statuses(client, HERE, HERE, HERE, THERE) == [202, 202, 429, 202]
    (limiter,) = client.application.extensions["limiter"]
    assert limiter._storage_options["socket_timeout"] < 0.5


def test_what_counts_meanwhile_does_not_grow_with_the_clients(
    client_with: ClientWith, silent: str
) -> None:
    client = client_with(**TWO, STORAGE_URI=silent)
    statuses(client, HERE)

    (limiter,) = client.application.extensions["limiter"]
    assert isinstance(limiter.limiter.storage, SharedCounts)


@pytest.mark.requires("R43", "R68")
def test_nothing_is_kept_of_the_clients_address(client_with: ClientWith) -> None:
    client = client_with(**TWO)
    statuses(client, HERE)

    (limiter,) = client.application.extensions["limiter"]
    held = bytes(limiter.storage._table._memory)
    assert held.strip(b"\0")
    assert not any(form in held for form in (b"198.51.100", bytes((198, 51, 100, 7))))


@pytest.mark.requires("R68")
def test_the_same_client_is_another_one_tomorrow(client_with: ClientWith) -> None:
    with time_machine.travel("2026-03-01T23:59:59+00:00", tick=False) as clock:
        client = client_with(**TWO)
        today = statuses(client, HERE, HERE, HERE)
        clock.shift(2)

        assert (today, statuses(client, HERE)) == ([202, 202, 429], [202])


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:4711", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_client_is_an_address_or_the_network_it_gets(client: str, network: str) -> None:
    assert network_of(client) == network


def test_the_clients_of_one_site_together_send_ten_times_as_much_as_one(
    client_with: ClientWith,
) -> None:
    households = [{"REMOTE_ADDR": f"2001:db8:1:{number:x}::7"} for number in range(21)]
    elsewhere = {"REMOTE_ADDR": "2001:db8:2::7"}

    found = statuses(client_with(**TWO), *households, elsewhere)

    assert found == [202] * 20 + [429, 202]


def test_without_a_limit_sign_ups_go_on(client_with: ClientWith) -> None:
    assert sign_up(client_with(CLIENT_LIMIT="off"), "ada@example.org").status_code == 202
