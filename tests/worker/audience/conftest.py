"""What is about Mailchimp needs the worker's letters and its calls, and no more of it."""

from __future__ import annotations

import pytest

from newsletter.worker.run import Worker
from tests.conftest import only


@pytest.fixture
def worker(worker: Worker) -> Worker:
    return only(worker, "postman", "audience")
