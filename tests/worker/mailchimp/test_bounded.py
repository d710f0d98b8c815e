"""A peer that drips its answer, or never ends it, holds nobody up, and fills no memory."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.worker.mailchimp import bounded
from newsletter.worker.mailchimp.bounded import LARGEST
from tests.worker.certificates import self_signed, server_side
from tests.worker.scripted_http import Act, Answer, ScriptedHttp, in_json

SECONDS = 1.0
DRIPS = pytest.mark.parametrize("drips", [Act.DRIP, Act.DRIP_BODY])


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with closing(bounded.new_session()) as session:
        yield session


def ask(session: requests.Session, server: ScriptedHttp) -> requests.Response:
    return bounded.ask(session, SECONDS, "GET", server.url, timeout=SECONDS)


@DRIPS
def test_an_answer_that_drips_is_given_up(session: requests.Session, drips: Act) -> None:
    with ScriptedHttp(drips) as server, pytest.raises(requests.RequestException) as caught:
        ask(session, server)

    assert "Read timed out" in str(caught.value)


@DRIPS
def test_an_answer_that_drips_over_tls_is_given_up(
    session: requests.Session, drips: Act, tmp_path: Path
) -> None:
    certificate = self_signed(tmp_path)
    session.verify = str(certificate)
    with (
        ScriptedHttp(drips, tls=server_side(certificate)) as server,
        pytest.raises(requests.RequestException) as caught,
    ):
        ask(session, server)

    assert "Read timed out" in str(caught.value)


def test_the_next_call_has_all_of_its_time(session: requests.Session) -> None:
    with ScriptedHttp(Act.DRIP, in_json(200, {"is": "here"})) as server:
        with pytest.raises(requests.RequestException):
            ask(session, server)

        assert ask(session, server).json() == {"is": "here"}


def told(failure: DeliveryFailure) -> tuple[Meaning, str, bool]:
    return failure.meaning, failure.reason, failure.outcome_unknown


TOO_LARGE = (Meaning.RETRY_LATER, "too_large", True)


def test_an_answer_that_is_too_large_is_given_up(session: requests.Session) -> None:
    with (
        ScriptedHttp(Answer(200, bytes(LARGEST + 1))) as server,
        pytest.raises(DeliveryFailure) as caught,
    ):
        ask(session, server)

    assert told(caught.value) == TOO_LARGE


def test_an_answer_that_decompresses_endlessly_takes_little_memory(
    session: requests.Session,
) -> None:
    packed = gzip.compress(bytes(20 * LARGEST))
    bomb = Answer(200, packed, headers={"Content-Encoding": "gzip"})
    with ScriptedHttp(bomb) as server:
        tracemalloc.start()
        with pytest.raises(DeliveryFailure) as caught:
            ask(session, server)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert told(caught.value) == TOO_LARGE
    assert peak < 5 * LARGEST


def test_the_largest_answer_is_read_whole(session: requests.Session) -> None:
    body = bytes(LARGEST)
    with ScriptedHttp(Answer(200, body)) as server:
        assert ask(session, server).content == body


def test_a_connection_is_kept_for_the_next_call(session: requests.Session) -> None:
    with ScriptedHttp(in_json(200, {"is": "here"})) as server:
        for _ in range(3):
            ask(session, server)

    assert [request.connection for request in server.requests] == [0, 0, 0]
