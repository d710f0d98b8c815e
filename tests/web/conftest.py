"""Every answer of the web process is compared with its description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, request_finished
from sqlalchemy import select

from newsletter.app import create_app
from newsletter.config import load
from newsletter.storage.database import reading
from newsletter.storage.models import Model
from tests.conftest import COMPANY
from tests.web.described import departure_from, description_of

Stored = Callable[[], dict[str, list[tuple[Any, ...]]]]


@pytest.fixture(scope="session")
def description() -> dict[str, Any]:
    """What the service says of its endpoints."""
    return description_of(create_app(load(COMPANY)))


@pytest.fixture
def stored(app: Flask) -> Stored:
    """All rows of all tables, the ledger's included."""

    def stored() -> dict[str, list[tuple[Any, ...]]]:
        with app.app_context(), reading() as session:
            return {
                table.name: [tuple(row) for row in session.execute(select(table))]
                for table in Model.metadata.sorted_tables
            }

    return stored


@pytest.fixture(autouse=True)
def every_answer_is_described(description: dict[str, Any]) -> Iterator[None]:
    """Whatever a test calls, it is answered as the description says."""
    departures: list[str | None] = []

    def compare(app: Flask, response: Response) -> None:
        departures.append(departure_from(app, response, description))

    with request_finished.connected_to(compare):
        yield
    assert [departure for departure in departures if departure] == []
