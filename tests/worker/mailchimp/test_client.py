"""Mailchimp over real HTTP, with a server that plays a script."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from newsletter import __version__
from newsletter.config import load
from newsletter.domain.address import Address
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.worker.mailchimp import failures, members
from newsletter.worker.mailchimp.client import Mailchimp, client_for
from newsletter.worker.mailchimp.members import Member, Subscriber, as_member, member_in
from tests.conftest import COMPANY
from tests.people import ADA
from tests.worker.certificates import self_signed, server_side
from tests.worker.scripted_http import Act, Answer, ScriptedHttp, in_json

KEY = "0123456789abcdef-us1"
LIST = "a1b2c3d4e5"
HASH = hashlib.md5(ADA.lower().encode()).hexdigest()
MEMBER = f"/3.0/lists/{LIST}/members/{HASH}"
SIGNED_UP = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
CONFIRMED = datetime(2026, 3, 1, 14, 30, 0, tzinfo=timezone(timedelta(hours=2)))

IN_VAIN = 1.0  #: seconds, where no answer comes

HOLD_ALL, GIVE_UP_ONE = Meaning.HOLD_ALL, Meaning.GIVE_UP_ONE
RETRY_LATER, REJECTED = Meaning.RETRY_LATER, Meaning.REJECTED

LIST_EXISTS = in_json(200, {"id": LIST})
NO_CONTENT = Answer(204)
COMPLIANCE = "Member In Compliance State"
IN_COMPLIANCE = (
    f"{ADA} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be"
    " subscribed."
)


def standing(status: str, **more: str) -> Answer:
    return in_json(200, {"status": status, "email_address": ADA, **more})


def problem(status: int, title: str, detail: str = "") -> Answer:
    document = {"title": title, "status": status, "detail": detail, "instance": ""}
    return in_json(status, document, "application/problem+json")


NOT_FOUND = problem(404, "Resource Not Found", "The requested resource could not be found.")
REFUSED = problem(400, "Invalid Resource", "This member's status is cleaned.")


@contextmanager
def mailchimp_at(url: str, seconds: float = 30.0) -> Iterator[Mailchimp]:
    """A client that waits so long to be connected, and for an answer."""
    timeout = (seconds, seconds)
    mailchimp = Mailchimp(api_key=KEY, list_id=LIST, api_url=f"{url}/3.0", timeout=timeout)
    try:
        yield mailchimp
    finally:
        mailchimp.close()


def ada() -> Address:
    return Address.parse(ADA)


def subscriber() -> Subscriber:
    return Subscriber(ada(), "de", SIGNED_UP, CONFIRMED)


def subscribe(mailchimp: Mailchimp) -> MailchimpStatus:
    return mailchimp.subscribe(subscriber())


def ask_again(mailchimp: Mailchimp) -> MailchimpStatus:
    return mailchimp.ask_again(subscriber())


def failure_of(act: Callable[[Mailchimp], object], *answers: Answer | Act) -> DeliveryFailure:
    seconds = 30.0 if all(isinstance(answer, Answer) for answer in answers) else IN_VAIN
    with (
        ScriptedHttp(*answers) as server,
        mailchimp_at(server.url, seconds) as mailchimp,
        pytest.raises(DeliveryFailure) as caught,
    ):
        act(mailchimp)
    return caught.value


def in_short(failure: DeliveryFailure) -> tuple[Meaning, str, bool]:
    return failure.meaning, failure.reason, failure.outcome_unknown


@pytest.mark.requires("R76")
def test_subscribing_sends_these_fields_and_no_others() -> None:
    with ScriptedHttp(standing("subscribed")) as server, mailchimp_at(server.url) as mailchimp:
        assert subscribe(mailchimp) is MailchimpStatus.SUBSCRIBED

    (request,) = server.requests
    assert (request.method, request.target) == ("PUT", f"{MEMBER}?skip_merge_validation=True")
    assert request.json == {
        "email_address": "Ada@example.org",
        "status": "subscribed",
        "status_if_new": "subscribed",
        "language": "de",
        "timestamp_signup": "2026-03-01T12:00:00+00:00",
        "timestamp_opt": "2026-03-01T12:30:00+00:00",
    }


def test_times_are_sent_in_utc_whatever_the_hosts_time_zone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "America/New_York")
        time.tzset()
        sent = as_member(subscriber(), "subscribed")
    time.tzset()

    assert sent["timestamp_opt"] == "2026-03-01T12:30:00+00:00"


@pytest.mark.parametrize(
    ("status", "place"),
    [("pending", MailchimpStatus.AWAITING), ("subscribed", MailchimpStatus.SUBSCRIBED)],
)
def test_asking_again_sends_the_same_fields_with_pending(
    status: str, place: MailchimpStatus
) -> None:
    with ScriptedHttp(standing(status)) as server, mailchimp_at(server.url) as mailchimp:
        assert ask_again(mailchimp) is place

    (request,) = server.requests
    assert (request.json["status"], request.json["status_if_new"]) == ("pending", "pending")
    assert len(request.json) == 6


@pytest.mark.parametrize(
    "status", ["unsubscribed", "pending", "cleaned", "archived", "transactional", "new", None]
)
def test_another_status_than_requested_is_no_success(status: str | None) -> None:
    failure = failure_of(subscribe, in_json(200, {"status": status}))

    assert in_short(failure) == (RETRY_LATER, "status_differs", True)


NO_ANSWERS = {
    "an empty object": in_json(200, {}),
    "an empty list": in_json(200, []),
    "a list": in_json(200, [{"status": "subscribed"}]),
    "a text in JSON": in_json(200, "subscribed"),
    "no body": Answer(200, b"", "application/json"),
    "no content": NO_CONTENT,
    "a captive portal": Answer(200, b"<html>Welcome to our WLAN</html>", "text/html"),
    "broken JSON": Answer(200, b'{"status": "subscri', "application/json"),
    "no content type": Answer(200, b'{"status": "subscribed"}'),
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_an_answer_that_is_not_mailchimps_json_is_no_success(answer: Answer) -> None:
    assert in_short(failure_of(subscribe, answer)) == (RETRY_LATER, "not_json", True)


WITHOUT_WORDS = {
    "no body": lambda status: Answer(status, b"", "application/problem+json"),
    "no header": lambda status: Answer(status, b"go away"),
    "an empty object": lambda status: in_json(status, {}),
    "broken JSON": lambda status: Answer(status, b'{"title', "application/json"),
    "a page": lambda status: Answer(status, b"<html>Sorry</html>", "text/html"),
    "a list": lambda status: in_json(status, ["sorry"]),
}


@pytest.mark.parametrize("form", WITHOUT_WORDS.values(), ids=WITHOUT_WORDS)
@pytest.mark.parametrize(
    ("status", "meaning", "reason"),
    [
        (400, RETRY_LATER, "http 400"),
        (401, HOLD_ALL, "api_key"),
        (403, RETRY_LATER, "throttled"),
        (404, HOLD_ALL, "list_unknown"),
        (405, RETRY_LATER, "http 405"),
        (429, RETRY_LATER, "throttled"),
        (500, RETRY_LATER, "http 500"),
        (503, RETRY_LATER, "http 503"),
    ],
)
def test_an_error_without_a_body_is_an_error(
    form: Callable[[int], Answer], status: int, meaning: Meaning, reason: str
) -> None:
    assert in_short(failure_of(subscribe, form(status))) == (meaning, reason, False)


@pytest.mark.parametrize("status", [502, 504])
def test_a_call_that_the_gateway_gave_up_may_still_take_effect(status: int) -> None:
    page = Answer(status, content_type="text/html", body=b"<html>Bad Gateway</html>")

    assert in_short(failure_of(subscribe, page)) == (RETRY_LATER, f"http {status}", True)


ERRORS: list[tuple[int, str, str, Meaning, str]] = [
    (400, COMPLIANCE, IN_COMPLIANCE, GIVE_UP_ONE, "compliance_state"),
    (400, COMPLIANCE, "", GIVE_UP_ONE, "compliance_state"),
    (400, "Mitglied gesperrt", IN_COMPLIANCE, GIVE_UP_ONE, "compliance_state"),
    (
        400,
        "Bad Request",
        f"{ADA} has previously unsubscribed from this list and must opt in again.",
        GIVE_UP_ONE,
        "compliance_state",
    ),
    (400, "Forgotten Email Not Subscribed", "", GIVE_UP_ONE, "forgotten"),
    (
        400,
        "Bad Request",
        f"{ADA} was permanently deleted and cannot be re-imported. The contact must re-subscribe.",
        GIVE_UP_ONE,
        "forgotten",
    ),
    (
        400,
        "Bad Request",
        f"{ADA} was previously removed from this audience. To rejoin, they'll need to sign up.",
        GIVE_UP_ONE,
        "forgotten",
    ),
    (
        400,
        "Invalid Resource",
        f"{ADA} looks fake or invalid, please enter a real email address.",
        GIVE_UP_ONE,
        "fake_or_invalid",
    ),
    (
        400,
        "Invalid Resource",
        "compliance@example.com looks fake or invalid, please enter a real email address.",
        GIVE_UP_ONE,
        "fake_or_invalid",
    ),
    (
        400,
        "Invalid Resource",
        "Please provide a valid email address.",
        GIVE_UP_ONE,
        "invalid_address",
    ),
    (
        400,
        "Invalid Resource",
        f"{ADA} has signed up to a lot of lists very recently; we're not allowing more signups",
        RETRY_LATER,
        "too_many_signups",
    ),
    (
        400,
        "Invalid Resource",
        f"{ADA} has too many recent signup requests",
        RETRY_LATER,
        "too_many_signups",
    ),
    (400, "Invalid Resource", "Your merge fields were invalid.", HOLD_ALL, "merge_fields"),
    (
        400,
        "Invalid Resource",
        "The resource submitted could not be validated.",
        REJECTED,
        "rejected 400",
    ),
    (400, "Member Exists", f"{ADA} is already a list member.", REJECTED, "rejected 400"),
    (400, "JSON Parse Exception", "", REJECTED, "rejected 400"),
    (401, "API Key Invalid", "Your API key may be invalid.", HOLD_ALL, "api_key"),
    (403, "Forbidden", "", HOLD_ALL, "forbidden"),
    (403, "User Disabled", "This account has been deactivated.", HOLD_ALL, "forbidden"),
    (404, "Resource Not Found", "", HOLD_ALL, "list_unknown"),
    (405, "Method Not Allowed", "", REJECTED, "rejected 405"),
    (408, "Request Timeout", "", RETRY_LATER, "http 408"),
    (422, "Unprocessable", "", REJECTED, "rejected 422"),
    (426, "Upgrade Required", "Please make your request via HTTPS.", HOLD_ALL, "rejected 426"),
    (429, "Too Many Requests", "10 simultaneous connections", RETRY_LATER, "throttled"),
    (500, "InternalServerError", "A deep, internal error has occurred", RETRY_LATER, "http 500"),
    (503, "ComplianceRelated", IN_COMPLIANCE, RETRY_LATER, "http 503"),
]


@pytest.mark.requires("R58")
@pytest.mark.parametrize("content_type", ["application/problem+json", "application/json"])
@pytest.mark.parametrize(("status", "title", "detail", "meaning", "reason"), ERRORS)
def test_an_error_means_what_its_status_and_words_say(
    status: int, title: str, detail: str, meaning: Meaning, reason: str, content_type: str
) -> None:
    answer = in_json(status, {"title": title, "detail": detail}, content_type)

    assert in_short(failure_of(subscribe, answer)) == (meaning, reason, False)


def test_every_known_error_has_a_case_and_every_known_status() -> None:
    first = {
        next(
            (known for known in failures._ERRORS if known[0] == status and known[1] in words), None
        )
        for status, title, detail, *_ in ERRORS
        for words in [f"{title} {detail}".lower()]
    }

    assert first - {None} == set(failures._ERRORS)
    assert {json.loads(answer.body)["status"] for answer, _ in MEMBERS} == members._PLACES.keys()


def test_a_problems_type_is_not_used() -> None:
    document = {"type": "https://example.com/compliance state", "title": "Bad Request"}

    assert failure_of(subscribe, in_json(400, document)).reason == "rejected 400"


@pytest.mark.parametrize(("status", "expected"), [(400, "http 400"), (200, "not_json")])
def test_json_that_is_nested_too_deeply_is_a_temporary_failure(status: int, expected: str) -> None:
    answer = Answer(status, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "application/json")

    failure = failure_of(subscribe, answer)

    assert (failure.meaning, failure.reason) == (RETRY_LATER, expected)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (Act.HANG_UP, "network"),
        (Act.SILENCE, "timeout"),
        (Act.BREAK_OFF, "network"),
        (Act.FALL_SILENT, "timeout"),
        (Act.DRIP, "timeout"),
        (Act.DRIP_BODY, "timeout"),
    ],
)
def test_a_call_that_is_lost_on_the_way_may_have_been_carried_out(act: Act, reason: str) -> None:
    assert in_short(failure_of(subscribe, act)) == (RETRY_LATER, reason, True)


def test_a_call_that_never_got_through_was_not_carried_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with (
        mailchimp_at(f"http://127.0.0.1:{port}") as mailchimp,
        pytest.raises(DeliveryFailure) as caught,
    ):
        subscribe(mailchimp)

    assert in_short(caught.value) == (RETRY_LATER, "network", False)


def test_a_call_that_timed_out_while_connecting_did_not_take_effect() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with (
            socket.create_connection(("127.0.0.1", port)),
            mailchimp_at(f"http://127.0.0.1:{port}", IN_VAIN) as mailchimp,
            pytest.raises(DeliveryFailure) as caught,
        ):
            subscribe(mailchimp)

    assert in_short(caught.value) == (RETRY_LATER, "timeout", False)


@pytest.mark.requires("R75")
def test_a_certificate_that_nobody_signed_concerns_all_calls(tmp_path: Path) -> None:
    tls = server_side(self_signed(tmp_path))

    with (
        ScriptedHttp(standing("subscribed"), tls=tls) as server,
        mailchimp_at(server.url) as mailchimp,
        pytest.raises(DeliveryFailure) as caught,
    ):
        subscribe(mailchimp)

    assert in_short(caught.value) == (HOLD_ALL, "tls", False)
    assert server.requests == []


def test_a_bug_of_ours_is_not_taken_for_a_network_failure() -> None:
    def write_nonsense(mailchimp: Mailchimp) -> None:
        language = cast(str, object())
        mailchimp.subscribe(Subscriber(ada(), language, SIGNED_UP, CONFIRMED))

    failure = failure_of(write_nonsense, standing("subscribed"))

    assert in_short(failure) == (HOLD_ALL, "client TypeError", False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with (
        ScriptedHttp(Answer(status, headers={"Location": "/elsewhere"})) as server,
        mailchimp_at(server.url) as mailchimp,
        pytest.raises(DeliveryFailure) as caught,
    ):
        mailchimp.delete_permanently(ada())

    assert in_short(caught.value) == (HOLD_ALL, "redirect", False)
    assert len(server.requests) == 1


def test_the_environments_proxies_and_passwords_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)

    with ScriptedHttp(standing("subscribed")) as server, mailchimp_at(server.url) as mailchimp:
        subscribe(mailchimp)

    key = b64encode(f"user:{KEY}".encode()).decode()
    assert server.requests[0].headers["authorization"] == f"Basic {key}"


def test_calls_share_one_connection() -> None:
    with ScriptedHttp(standing("subscribed")) as server, mailchimp_at(server.url) as mailchimp:
        subscribe(mailchimp)
        mailchimp.look_up(ada())

    assert [request.connection for request in server.requests] == [0, 0]


def test_a_connection_closed_while_idle_is_opened_again_at_no_cost() -> None:
    closing = replace(standing("subscribed"), and_hang_up=True)

    with ScriptedHttp(closing) as server, mailchimp_at(server.url) as mailchimp:
        subscribe(mailchimp)
        server.wait_for_hang_up()
        subscribe(mailchimp)

    assert [request.connection for request in server.requests] == [0, 1]


def test_a_call_says_who_is_calling() -> None:
    with ScriptedHttp(standing("subscribed")) as server, mailchimp_at(server.url) as mailchimp:
        subscribe(mailchimp)

    assert server.requests[0].headers["user-agent"] == f"newsletter/{__version__}"


def test_a_url_stays_as_it_is_given() -> None:
    with (
        ScriptedHttp(standing("subscribed")) as server,
        mailchimp_at(f"{server.url}/observer") as mailchimp,
    ):
        subscribe(mailchimp)

    assert server.requests[0].target.startswith("/observer/3.0/lists/")


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned", "archived"])
def test_unsubscribing_changes_only_the_status(status: str) -> None:
    with ScriptedHttp(standing(status)) as server, mailchimp_at(server.url) as mailchimp:
        assert mailchimp.unsubscribe(ada()) is MailchimpStatus.UNSUBSCRIBED

    (request,) = server.requests
    assert (request.method, request.target) == ("PATCH", f"{MEMBER}?skip_merge_validation=True")
    assert request.json == {"status": "unsubscribed"}


def test_unsubscribing_creates_no_contact() -> None:
    with ScriptedHttp(NOT_FOUND, LIST_EXISTS) as server, mailchimp_at(server.url) as mailchimp:
        assert mailchimp.unsubscribe(ada()) is MailchimpStatus.ABSENT

    assert [request.method for request in server.requests] == ["PATCH", "GET"]


@pytest.mark.parametrize("refusal", [REFUSED, problem(400, COMPLIANCE, IN_COMPLIANCE)])
@pytest.mark.parametrize("status", ["cleaned", "archived", "unsubscribed"])
def test_a_contact_that_gets_no_mail_anyway_counts_as_unsubscribed(
    status: str, refusal: Answer
) -> None:
    with (
        ScriptedHttp(refusal, standing(status)) as server,
        mailchimp_at(server.url) as mailchimp,
    ):
        assert mailchimp.unsubscribe(ada()) is MailchimpStatus.UNSUBSCRIBED


REFUSED_UNSUBSCRIBING: list[tuple[list[Answer], Meaning, str]] = [
    ([standing("subscribed")], RETRY_LATER, "status_differs"),
    ([REFUSED, standing("subscribed")], REJECTED, "rejected 400"),
    ([REFUSED, Answer(500)], RETRY_LATER, "http 500"),
    ([NOT_FOUND, NOT_FOUND], HOLD_ALL, "list_unknown"),
    ([NOT_FOUND, in_json(200, {"id": "another"})], HOLD_ALL, "list_unknown"),
    ([Answer(401)], HOLD_ALL, "api_key"),
    ([Answer(429)], RETRY_LATER, "throttled"),
]


@pytest.mark.parametrize(("answers", "meaning", "reason"), REFUSED_UNSUBSCRIBING)
def test_a_contact_that_still_gets_mail_is_not_reported_as_unsubscribed(
    answers: list[Answer], meaning: Meaning, reason: str
) -> None:
    failure = failure_of(lambda mailchimp: mailchimp.unsubscribe(ada()), *answers)

    assert (failure.meaning, failure.reason) == (meaning, reason)


MEMBERS: list[tuple[Answer, Member]] = [
    (standing("subscribed"), Member(MailchimpStatus.SUBSCRIBED, False, False, False)),
    (standing("pending"), Member(MailchimpStatus.AWAITING, False, False, False)),
    (standing("transactional"), Member(MailchimpStatus.UNSUBSCRIBED, False, False, False)),
    (standing("archived"), Member(MailchimpStatus.UNSUBSCRIBED, False, False, True)),
    (standing("cleaned"), Member(MailchimpStatus.UNSUBSCRIBED, False, True, False)),
    (
        standing("cleaned", unsubscribe_reason="N/A (Abuse complaint)"),
        Member(MailchimpStatus.UNSUBSCRIBED, True, False, False),
    ),
    *[
        (
            standing("unsubscribed", unsubscribe_reason=reason),
            Member(MailchimpStatus.UNSUBSCRIBED, True, False, False),
        )
        for reason in ("Abuse", "SPAM", "complained")
    ],
    (
        standing("unsubscribed", unsubscribe_reason="N/A (Unsubscribed by an admin)"),
        Member(MailchimpStatus.UNSUBSCRIBED, False, False, False),
    ),
    (
        standing("unsubscribed", unsubscribe_reason="The emails are spam"),
        Member(MailchimpStatus.UNSUBSCRIBED, True, False, False),
    ),
]


TOLD = "2026-03-01T12:00:05"
LEFT_AT = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "last_changed", "left_at"),
    [
        ("unsubscribed", f"{TOLD}+00:00", LEFT_AT),
        ("unsubscribed", "2026-03-01T14:00:05+02:00", LEFT_AT),
        ("unsubscribed", TOLD, LEFT_AT),
        ("cleaned", f"{TOLD}Z", LEFT_AT),
        ("archived", f"{TOLD}+00:00", None),
        ("subscribed", f"{TOLD}+00:00", None),
        ("pending", f"{TOLD}+00:00", None),
        ("transactional", f"{TOLD}+00:00", None),
        ("unsubscribed", "", None),
        ("unsubscribed", "soon", None),
        ("unsubscribed", None, None),
    ],
)
def test_the_time_of_an_unsubscribe_is_taken_from_last_changed(
    status: str, last_changed: str | None, left_at: datetime | None
) -> None:
    assert member_in({"status": status, "last_changed": last_changed}).left_at == left_at


@pytest.mark.parametrize(("answer", "member"), MEMBERS)
def test_a_contact_is_looked_up(answer: Answer, member: Member) -> None:
    with ScriptedHttp(answer) as server, mailchimp_at(server.url) as mailchimp:
        assert mailchimp.look_up(ada()) == member

    (request,) = server.requests
    assert request.target == f"{MEMBER}?fields=status%2Cunsubscribe_reason"


@pytest.mark.parametrize(
    ("answers", "is_known"), [((standing("archived"),), True), ((NOT_FOUND, LIST_EXISTS), False)]
)
def test_whether_somebody_is_known_is_asked_without_their_data(
    answers: tuple[Answer, ...], is_known: bool
) -> None:
    with ScriptedHttp(*answers) as server, mailchimp_at(server.url) as mailchimp:
        assert mailchimp.knows(ada()) is is_known

    assert server.requests[0].target == f"{MEMBER}?fields=id"


def test_a_contact_is_missing_only_where_the_audience_exists() -> None:
    with ScriptedHttp(NOT_FOUND, LIST_EXISTS) as server, mailchimp_at(server.url) as mailchimp:
        assert mailchimp.look_up(ada()) is None

    assert server.requests[1].target == f"/3.0/lists/{LIST}?fields=id"


@pytest.mark.parametrize("answer", [NOT_FOUND, in_json(200, {"id": "another"})])
def test_a_lookup_in_a_missing_audience_is_a_failure(answer: Answer) -> None:
    failure = failure_of(lambda mailchimp: mailchimp.look_up(ada()), NOT_FOUND, answer)

    assert in_short(failure) == (HOLD_ALL, "list_unknown", False)


def test_a_permanent_deletion_is_read_back() -> None:
    with (
        ScriptedHttp(NO_CONTENT, NOT_FOUND, LIST_EXISTS) as server,
        mailchimp_at(server.url) as mailchimp,
    ):
        mailchimp.delete_permanently(ada())

    first, second, third = server.requests
    assert (first.method, first.target) == ("POST", f"{MEMBER}/actions/delete-permanent")
    assert (second.method, second.target.partition("?")[0]) == ("GET", MEMBER)
    assert (third.method, third.target.partition("?")[0]) == ("GET", f"/3.0/lists/{LIST}")


def test_a_missing_contact_counts_as_deleted() -> None:
    answers = NOT_FOUND, LIST_EXISTS, NOT_FOUND, LIST_EXISTS

    with ScriptedHttp(*answers) as server, mailchimp_at(server.url) as mailchimp:
        mailchimp.delete_permanently(ada())

    assert len(server.requests) == 4


NOT_FORGOTTEN: list[tuple[list[Answer | Act], Meaning, str]] = [
    ([NO_CONTENT, standing("archived")], RETRY_LATER, "still_there"),
    ([NO_CONTENT, standing("subscribed")], RETRY_LATER, "still_there"),
    ([NO_CONTENT, Answer(500)], RETRY_LATER, "http 500"),
    ([NO_CONTENT, NOT_FOUND, NOT_FOUND], HOLD_ALL, "list_unknown"),
    ([NO_CONTENT, Answer(200, b"<html>Welcome</html>", "text/html")], RETRY_LATER, "not_json"),
    ([NOT_FOUND, NOT_FOUND], HOLD_ALL, "list_unknown"),
    ([Answer(405, b"")], RETRY_LATER, "http 405"),
    ([Answer(503)], RETRY_LATER, "http 503"),
    ([Act.SILENCE], RETRY_LATER, "timeout"),
]


@pytest.mark.parametrize(("answers", "meaning", "reason"), NOT_FORGOTTEN)
def test_a_contact_counts_as_deleted_only_when_mailchimp_says_so(
    answers: list[Answer | Act], meaning: Meaning, reason: str
) -> None:
    failure = failure_of(lambda mailchimp: mailchimp.delete_permanently(ada()), *answers)

    assert (failure.meaning, failure.reason) == (meaning, reason)


def test_a_ping_is_answered() -> None:
    answer = in_json(200, {"health_status": "Everything's Chimpy!"})

    with ScriptedHttp(answer) as server, mailchimp_at(server.url) as mailchimp:
        mailchimp.ping()

    assert server.requests[0].target == "/3.0/ping"


@pytest.mark.parametrize(
    ("answer", "meaning", "reason"),
    [
        (Answer(401), HOLD_ALL, "api_key"),
        (NOT_FOUND, HOLD_ALL, "api_url"),
        (in_json(200, {}), RETRY_LATER, "not_json"),
    ],
)
def test_a_ping_that_is_not_answered_is_a_failure(
    answer: Answer, meaning: Meaning, reason: str
) -> None:
    failure = failure_of(Mailchimp.ping, answer)

    assert (failure.meaning, failure.reason) == (meaning, reason)


def test_the_list_is_found() -> None:
    with ScriptedHttp(LIST_EXISTS) as server, mailchimp_at(server.url) as mailchimp:
        mailchimp.check_list()

    assert len(server.requests) == 1


ANSWERS_THAT_TELL: list[Answer | Act] = [
    problem(400, COMPLIANCE, IN_COMPLIANCE),
    problem(400, ADA, f"{ADA} {HASH} {KEY}"),
    in_json(500, {"title": ADA}),
    Answer(200, ADA.encode(), "text/html"),
    standing("unsubscribed"),
    Answer(302, headers={"Location": MEMBER}),
    Act.HANG_UP,
    Act.SILENCE,
]


@pytest.mark.parametrize("answer", ANSWERS_THAT_TELL)
def test_a_failure_contains_neither_address_nor_hash_nor_key(answer: Answer | Act) -> None:
    failure = failure_of(subscribe, answer)

    told = "".join(traceback.format_exception(failure)) + repr(failure)
    for secret in (ADA, ADA.lower(), HASH, KEY):
        assert secret not in told


def test_nothing_is_logged_about_anybody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    failure_of(subscribe, problem(400, COMPLIANCE, IN_COMPLIANCE))

    assert HASH not in caplog.text
    assert ADA not in caplog.text


def test_no_path_holds_an_address() -> None:
    answers = standing("subscribed"), standing("unsubscribed"), NO_CONTENT, NOT_FOUND, LIST_EXISTS

    with ScriptedHttp(*answers) as server, mailchimp_at(server.url) as mailchimp:
        subscribe(mailchimp)
        mailchimp.unsubscribe(ada())
        mailchimp.delete_permanently(ada())

    assert not any("example" in request.target.lower() for request in server.requests)


@pytest.mark.parametrize("variables", [{}, {"MAILCHIMP_LIST_ID": LIST}])
def test_without_a_key_there_is_no_mailchimp(variables: dict[str, str]) -> None:
    assert client_for(load({**COMPANY, **variables}), Mailchimp) is None


def test_the_settings_name_audience_and_url() -> None:
    with ScriptedHttp(LIST_EXISTS) as server:
        url = {"MAILCHIMP_API_URL": f"{server.url}/3.0"}
        settings = {**COMPANY, "MAILCHIMP_API_KEY": KEY, "MAILCHIMP_LIST_ID": LIST, **url}
        mailchimp = client_for(load(settings), Mailchimp)
        assert mailchimp is not None
        mailchimp.check_list()
        mailchimp.close()

    assert server.requests[0].target == f"/3.0/lists/{LIST}?fields=id"


def test_a_key_names_its_data_centre(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def note(_: requests.Session, method: str, url: str, **options: Any) -> None:
        asked.append(url)
        raise requests.ConnectTimeout

    monkeypatch.setattr(requests.Session, "request", note)
    settings = load({**COMPANY, "MAILCHIMP_API_KEY": KEY, "MAILCHIMP_LIST_ID": LIST})
    mailchimp = client_for(settings, Mailchimp)
    assert mailchimp is not None

    with pytest.raises(DeliveryFailure):
        mailchimp.ping()

    assert asked == ["https://us1.api.mailchimp.com/3.0/ping"]


def of_batch(*, new: object = (), updated: object = (), errors: object = ()) -> Answer:
    return in_json(200, {"new_members": new, "updated_members": updated, "errors": errors})


def error(words: str) -> dict[str, str]:
    return {"email_address": ADA, "error": words, "error_code": "ERROR_GENERIC"}


SUBSCRIBED_IN_OTHER_CASE = {"email_address": ADA.upper(), "status": "subscribed"}
ONE_OF_A_BATCH = {
    "new": (of_batch(new=[SUBSCRIBED_IN_OTHER_CASE]), MailchimpStatus.SUBSCRIBED),
    "changed": (of_batch(updated=[SUBSCRIBED_IN_OTHER_CASE]), MailchimpStatus.SUBSCRIBED),
    "another status": (of_batch(new=[{"email_address": ADA, "status": "pending"}]), None),
    "not mentioned": (of_batch(), None),
    "no lists": (of_batch(new=None, updated={}, errors="none"), None),
    "no objects": (of_batch(new=["subscribed"], errors=[None]), None),
    "an error nobody knows": (of_batch(errors=[error("Something went wrong")]), None),
    "in compliance state": (
        of_batch(errors=[error(f"{ADA} is in a compliance state due to unsubscribe")]),
        (GIVE_UP_ONE, "compliance_state"),
    ),
    "forgotten": (
        of_batch(errors=[error(f"{ADA} was permanently deleted and cannot be re-imported.")]),
        (GIVE_UP_ONE, "forgotten"),
    ),
    "fake": (
        of_batch(
            errors=[error(f"{ADA} looks fake or invalid, please enter a real email address.")]
        ),
        (GIVE_UP_ONE, "fake_or_invalid"),
    ),
    "too many lists": (
        of_batch(errors=[error(f"{ADA} has signed up to a lot of lists very recently; we're not")]),
        (RETRY_LATER, "too_many_signups"),
    ),
}


def test_a_batch_tells_mailchimp_this_of_each_and_nothing_else() -> None:
    grace = replace(subscriber(), address=Address.parse("grace@example.com"), language="en")
    with ScriptedHttp(of_batch()) as server, mailchimp_at(server.url) as mailchimp:
        mailchimp.subscribe_all([subscriber(), grace])

    (request,) = server.requests
    assert (request.method, request.target) == (
        "POST",
        f"/3.0/lists/{LIST}?skip_merge_validation=True",
    )
    told = {
        "status": "subscribed",
        "timestamp_signup": "2026-03-01T12:00:00+00:00",
        "timestamp_opt": "2026-03-01T12:30:00+00:00",
    }
    assert request.json == {
        "members": [
            {**told, "email_address": "Ada@example.org", "language": "de"},
            {**told, "email_address": "grace@example.com", "language": "en"},
        ],
        "update_existing": True,
    }


@pytest.mark.parametrize("case", ONE_OF_A_BATCH)
def test_a_batchs_answer_is_read_person_by_person(case: str) -> None:
    answer, expected = ONE_OF_A_BATCH[case]
    with ScriptedHttp(answer) as server, mailchimp_at(server.url) as mailchimp:
        (outcome,) = mailchimp.subscribe_all([subscriber()])

    told = (outcome.meaning, outcome.reason) if isinstance(outcome, DeliveryFailure) else outcome
    assert told == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (in_json(200, {}), (RETRY_LATER, "not_json", True)),
        (Answer(429), (RETRY_LATER, "throttled", False)),
        (Answer(403), (RETRY_LATER, "throttled", False)),
        (Answer(504, b"<html>", "text/html"), (RETRY_LATER, "http 504", True)),
        (problem(401, "API Key Invalid"), (HOLD_ALL, "api_key", False)),
        (problem(404, "Resource Not Found"), (HOLD_ALL, "list_unknown", False)),
        (problem(400, "Invalid Resource"), (REJECTED, "rejected 400", False)),
    ],
)
def test_a_batch_that_fails_as_a_whole_fails_for_all(
    answer: Answer, expected: tuple[Meaning, str, bool]
) -> None:
    failure = failure_of(lambda mailchimp: mailchimp.subscribe_all([subscriber()]), answer)

    assert in_short(failure) == expected
