"""Connections, the limit of ten, and answers that are scripted, withheld or dropped."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.mailchimp import Answer, StandIn, answers, id_of, problems
from tests.patience import PATIENCE
from tests.people import ADA, GRACE
from tests.sandbox.conftest import Call
from tests.sandbox.paths import path_of

NEW = {"email_address": ADA, "status_if_new": "subscribed"}
PROBLEM = "application/problem+json; charset=utf-8"


def test_every_call_is_recorded(mailchimp: StandIn, call: Call) -> None:
    call("PUT", f"{path_of(ADA)}?skip_merge_validation=true", NEW)

    made = mailchimp.calls[0]
    assert (made.method, made.path, made.body) == ("PUT", path_of(ADA), NEW)
    assert (made.query, made.status) == ({"skip_merge_validation": "true"}, 200)


def test_a_connection_is_kept_alive(mailchimp: StandIn, call: Call) -> None:
    first, second = call("GET", "/ping", stream=True), call("GET", "/ping")

    assert first.raw.version == 11
    assert "close" not in second.headers.get("Connection", "")


@pytest.mark.parametrize(
    ("answer", "status", "title", "detail"),
    [
        (problems.key_disabled(), 401, "API Key Invalid", "API key has been disabled"),
        (problems.user_disabled(), 403, "User Disabled", "This account has been deactivated."),
        (
            problems.internal_error(),
            500,
            "InternalServerError",
            "A deep, internal error has occurred during the processing of your request. "
            "Please contact support.",
        ),
    ],
)
def test_a_scripted_problem_is_sent_word_for_word(
    mailchimp: StandIn, call: Call, answer: Answer, status: int, title: str, detail: str
) -> None:
    mailchimp.answer_next(answer)

    got = call("GET", "/ping")

    assert (got.status_code, got.headers["Content-Type"]) == (status, PROBLEM)
    assert (got.json()["title"], got.json()["detail"]) == (title, detail)
    assert mailchimp.calls[0].status == status


@pytest.mark.parametrize("status", [403, 429])
def test_throttling_has_neither_body_nor_content_type(
    mailchimp: StandIn, call: Call, status: int
) -> None:
    mailchimp.answer_next(answers.throttled(status))

    got = call("GET", "/ping")

    assert (got.status_code, got.content) == (status, b"")
    assert "Content-Type" not in got.headers


def test_the_gateways_page_is_html(mailchimp: StandIn, call: Call) -> None:
    mailchimp.answer_next(answers.bad_gateway())

    got = call("GET", "/ping")

    assert (got.status_code, got.headers["Content-Type"]) == (502, "text/html")


def test_a_scripted_answer_is_used_up(mailchimp: StandIn, call: Call) -> None:
    mailchimp.answer_next(answers.throttled(), times=2)

    assert [call("GET", "/ping").status_code for _ in range(3)] == [429, 429, 200]


def test_a_scripted_answer_waits_for_the_call_it_matches(mailchimp: StandIn, call: Call) -> None:
    mailchimp.answer_next(answers.throttled(), match=lambda made: made.method == "PUT")

    assert call("GET", "/ping").status_code == 200
    assert call("PUT", path_of(ADA), NEW).status_code == 429
    assert mailchimp.contacts == {}


def test_scripted_answers_can_be_dropped(mailchimp: StandIn, call: Call) -> None:
    mailchimp.answer_next(answers.throttled(), times=9)
    mailchimp.answer_normally()

    assert call("GET", "/ping").status_code == 200


def test_a_connection_can_be_dropped_without_an_answer(mailchimp: StandIn, call: Call) -> None:
    mailchimp.answer_next(answers.DROPPED)

    with pytest.raises(requests.ConnectionError):
        call("PUT", path_of(ADA), NEW)
    assert mailchimp.contacts == {}
    assert mailchimp.calls[0].status is None


def test_a_call_can_be_carried_out_without_an_answer(mailchimp: StandIn, call: Call) -> None:
    mailchimp.answer_next(answers.CARRIED_OUT_BUT_DROPPED)

    with pytest.raises(requests.ConnectionError):
        call("PUT", path_of(ADA), NEW)
    assert mailchimp.contacts[ADA.lower()].status == "subscribed"


def test_a_call_can_be_carried_out_with_another_answer(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(ADA)
    mailchimp.answer_next(answers.Answer(503, masks=True))

    answer = call("PATCH", path_of(ADA), {"status": "unsubscribed"})

    assert (answer.status_code, answer.content) == (503, b"")
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"


def test_an_answer_can_be_withheld_until_an_event(mailchimp: StandIn, call: Call) -> None:
    event = threading.Event()
    mailchimp.answer_next(answers.held(event))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, "PUT", path_of(ADA), NEW)
        mailchimp.wait_for(lambda: ADA.lower() in mailchimp.contacts)
        was_silent = not answer.done()
        event.set()

    assert was_silent
    assert answer.result().json()["id"] == id_of(ADA)


def test_a_caller_who_hangs_up_meanwhile_does_no_harm(mailchimp: StandIn, call: Call) -> None:
    event = threading.Event()
    mailchimp.answer_next(answers.held(event))
    with pytest.raises(requests.ReadTimeout):
        call("PUT", path_of(ADA), NEW, timeout=(60, 0.05))
    event.set()

    assert call("GET", path_of(ADA)).status_code == 200


def test_stopping_releases_withheld_answers(call: Call) -> None:
    with StandIn() as other, ThreadPoolExecutor(1) as pool:
        other.answer_next(answers.held(threading.Event()))
        waiting = pool.submit(requests.get, f"{other.api_url}/ping", timeout=PATIENCE)
        other.wait_for(lambda: other.calls)
        other.stop()

        assert waiting.exception() or waiting.result().status_code == 401


def test_the_eleventh_call_at_once_is_one_too_many(mailchimp: StandIn, call: Call) -> None:
    event = threading.Event()
    mailchimp.answer_next(answers.held(event), times=10)
    with ThreadPoolExecutor(10) as pool:
        held = [pool.submit(call, "GET", "/ping") for _ in range(10)]
        mailchimp.wait_for(lambda: len(mailchimp.calls) == 10)
        eleventh = call("GET", "/ping")
        event.set()

    assert eleventh.status_code == 429
    assert eleventh.json()["title"] == "Too Many Requests"
    detail = "You have exceeded the limit of 10 simultaneous connections."
    assert eleventh.json()["detail"] == detail
    assert {answer.result().status_code for answer in held} == {200}


def test_an_answer_takes_the_scripted_time(mailchimp: StandIn, call: Call) -> None:
    mailchimp.latency = 0.2

    assert call("GET", "/ping").elapsed.total_seconds() >= 0.2


def test_waiting_ends_with_an_error_when_nothing_happens(mailchimp: StandIn) -> None:
    with pytest.raises(TimeoutError, match="after 0 calls"):
        mailchimp.wait_for(lambda: mailchimp.calls, timeout=0.01)


def test_parallel_calls_are_all_recorded(mailchimp: StandIn, call: Call) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: call("GET", "/ping").status_code, range(80)))

    assert done == [200] * 80
    assert len(mailchimp.calls) == 80


def test_it_can_be_restarted_with_its_data(mailchimp: StandIn, call: Call) -> None:
    mailchimp.add(GRACE)
    mailchimp.stop()
    mailchimp.start()

    assert call("GET", path_of(GRACE)).status_code == 200


def test_without_being_started_it_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = StandIn().api_url
