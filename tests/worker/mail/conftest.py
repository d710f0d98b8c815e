"""The worker runs only the loops that send letters and call Mailchimp."""

from __future__ import annotations

import pytest

from newsletter.worker.run import Worker
from tests.conftest import only


@pytest.fixture
def worker(worker: Worker) -> Worker:
    return only(worker, "postman", "audience")
