"""Visitors of the desk."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.desk.visitor import Visitor


@pytest.fixture
def stranger(client: FlaskClient) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(client)


@pytest.fixture
def staff(stranger: Visitor) -> Visitor:
    """Somebody who is signed in, and may act."""
    assert stranger.signs_in().status_code == 303
    return stranger
