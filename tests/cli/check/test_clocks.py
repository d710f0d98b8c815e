"""This host's clock, compared with those of Mailchimp, the public URL and a real database server."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import time_machine
from flask import Flask

from newsletter.cli.check import clocks
from newsletter.config import load
from newsletter.domain import clock
from tests.cli.check.conftest import HOST, Deployed
from tests.conftest import on_postgresql
from tests.people import WEBHOOK_SECRET
from tests.worker.scripted_http import Answer, ScriptedHttp, in_json

#: Longer than a run of these tests takes.
OFF = timedelta(minutes=10)


def dated(seconds: float, document: dict[str, Any]) -> Answer:
    """An answer whose Date differs from now by so many seconds."""
    date = format_datetime(clock.now() + timedelta(seconds=seconds), usegmt=True)
    answer = in_json(200, document)
    return Answer(200, answer.body, answer.content_type, {"Date": date})


def at_public_url(deployed: Deployed, answer: Answer) -> dict[str, str]:
    url = deployed.enter(ScriptedHttp(answer, tls=deployed.tls, host=HOST)).url
    deployed.hook.url = f"{url}/webhooks/mailchimp/{WEBHOOK_SECRET}"
    return {"PUBLIC_URL": url}


def wrong(deployed: Deployed, app: Flask | None = None, /, **variables: str) -> list[str]:
    """What is wrong with the clocks."""
    settings = load({**deployed.environ, **variables})
    return [finding.wrong for finding in clocks.findings(settings, app)]


def test_a_clock_that_differs_is_found_by_the_check(deployed: Deployed) -> None:
    [found] = deployed.check(**at_public_url(deployed, dated(600, {"status": "alive"})))

    assert str(found) == (
        "clock: this host's differs by more than 30 s from PUBLIC_URL's;"
        " synchronise all hosts by NTP, such as with systemd-timesyncd."
    )


@pytest.mark.parametrize(("seconds", "found"), [(-600, 1), (600, 1), (-25, 0), (25, 0)])
def test_a_clock_may_differ_by_seconds(deployed: Deployed, seconds: float, found: int) -> None:
    answer = dated(seconds, {"status": "alive"})

    assert len(wrong(deployed, **at_public_url(deployed, answer))) == found


@pytest.mark.parametrize("date", ["yesterday", ""])
def test_an_invalid_date_is_ignored(deployed: Deployed, date: str) -> None:
    alive = in_json(200, {"status": "alive"})
    answer = Answer(200, alive.body, alive.content_type, {"Date": date})

    assert wrong(deployed, **at_public_url(deployed, answer)) == []


def test_a_clock_that_differs_from_mailchimps_is_found(deployed: Deployed) -> None:
    chimpy = dated(600, {"health_status": "Everything's Chimpy!"})
    server = deployed.enter(ScriptedHttp(chimpy))

    assert wrong(deployed, MAILCHIMP_API_URL=f"{server.url}/3.0") == [
        "this host's differs by more than 30 s from Mailchimp's"
    ]


@on_postgresql
def test_a_clock_that_differs_from_the_databases_is_found(deployed: Deployed) -> None:
    with time_machine.travel(clock.now() + OFF, tick=True):
        [found] = wrong(deployed, deployed.app)

    assert found.startswith("this host's differs by more than 30 s from the database's")
