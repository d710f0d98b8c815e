"""Who gets no e-mail: whoever has not answered the one they got, and whoever left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import Clock, Drain, Join, PathOf
from tests.people import ADA, ask_staff, sign_up, status_of, webhook

Leave = Callable[[FlaskClient, str], Any]

DAY = timedelta(days=1)


@pytest.fixture
def environ(environ: dict[str, Any]) -> dict[str, Any]:
    """Links hold as long as they can: there is time for a reminder."""
    return {**environ, "LINK_DAYS": "14"}


def let_days_pass(days: int, drain: Drain, clock: Clock) -> None:
    """Three at a time: what is due in between is still due then."""
    drain()
    for _ in range(0, days, 3):
        clock.shift(3 * DAY)
        drain()


@pytest.mark.requires("R17")
def test_nobody_is_reminded(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)

    let_days_pass(15, drain, clock)

    assert len(mailbox.letters) == 1
    assert status_of(client, ADA) == "unknown"


def by_link(client: FlaskClient, path: str) -> Any:
    return client.post(path, json={"action": "unsubscribe"})


def by_staff(client: FlaskClient, _: str) -> Any:
    return ask_staff(client, "blocks", ADA, reason="unsubscribed")


def at_mailchimp(client: FlaskClient, _: str) -> Any:
    return webhook(client, type="unsubscribe", data_list_id="a1b2c3d4e5", data_email=ADA)


@pytest.mark.requires("R54")
@pytest.mark.parametrize("leave", [by_link, by_staff, at_mailchimp])
def test_nobody_is_written_to_for_having_left(
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    join: Join,
    path_of: PathOf,
    drain: Drain,
    clock: Clock,
    leave: Leave,
) -> None:
    join(ADA)
    written = len(mailbox.letters)

    assert leave(client, path_of()).status_code in (200, 202, 204)
    let_days_pass(3, drain, clock)

    assert status_of(client, ADA) == "blocked"
    assert len(mailbox.letters) == written
