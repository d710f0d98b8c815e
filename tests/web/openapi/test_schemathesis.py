"""Every endpoint keeps to its description: schemathesis calls it with valid and invalid data, with all its checks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from sqlalchemy import select
from werkzeug.serving import make_server

from newsletter.storage.database import reading
from newsletter.storage.models import Letter
from newsletter.subscriptions import links as tokens
from newsletter.subscriptions.links import Link, Purpose
from tests.conftest import IS_LONG, ClientWith
from tests.people import ADA, STAFF, WEBHOOK_SECRET, sign_up

#: Its own and 410: a valid link is outdated once the person is erased; `/erased` is, as long as they are not.
POSITIVE = {
    "positive_data_acceptance": {
        "expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "410", "429", "5xx"]
    }
}
#: Made up for each endpoint, beside those that the description suggests, by `make test-long`.
EXAMPLES = 60 if IS_LONG else 1


@pytest.fixture
def app(client_with: ClientWith) -> Flask:
    return client_with().application


@pytest.fixture
def links(app: Flask) -> dict[Purpose, str]:
    """The token of each link of somebody who has signed up."""
    sign_up(app.test_client(), ADA)
    with app.app_context():
        with reading() as session:
            letter = session.scalars(select(Letter)).one()
        link = Link(letter.ref, letter.round, letter.written_at)
        return {each: tokens.url_for(each, link).rpartition("/")[2] for each in Purpose}


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    """The application on loopback: in the process itself, schemathesis does not try all it knows."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever)
        yield f"http://127.0.0.1:{server.port}"
        server.shutdown()
    server.server_close()


def called_with(path: str, **parameters: str) -> dict[str, Any]:
    """What nobody could make up."""
    return {"include-path": path, "parameters": parameters, "checks": POSITIVE}


def failures_of(url: str, operations: list[dict[str, Any]]) -> list[str]:
    """What schemathesis finds, one line for each."""
    config = SchemathesisConfig.from_dict(
        {
            "base-url": url,
            "headers": STAFF,
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
            "phases": {"fuzzing": {"enabled": IS_LONG}, "stateful": {"enabled": IS_LONG}},
            "checks": {"enabled": True},
            "operations": operations,
        }
    )
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
    found = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event))
        if isinstance(event, events.ScenarioFinished) and event.status is not Status.SUCCESS:
            found += [
                f"{check.failure_info.failure.message}\n{check.failure_info.code_sample}"
                for checks in event.recorder.checks.values()
                for check in checks
                if check.failure_info is not None
            ]
    return found


def test_every_endpoint_does_as_the_description_says(
    url: str, links: dict[Purpose, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    operations = [called_with(f"/{each}/{{token}}", token=links[each]) for each in Purpose]
    operations += [
        called_with(f"/my-data/{{token}}/{page}", token=links[Purpose.MY_DATA])
        for page in ("erase", "erased")
    ]
    operations.append(called_with("/webhooks/mailchimp/{secret}", secret=WEBHOOK_SECRET))

    assert failures_of(url, operations) == []
