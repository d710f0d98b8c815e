"""Registering webhooks: checked by a GET, once for each URL, the secret shown once."""

from __future__ import annotations

import pytest

from sandbox.mailchimp import StandIn
from tests.sandbox.conftest import Call, Listener
from tests.sandbox.paths import WEBHOOKS

ALL = {
    "events": dict.fromkeys(
        ("subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign"), True
    ),
    "sources": {"user": True, "admin": True, "api": False},
}


def test_the_secret_is_shown_once(call: Call, listener: Listener) -> None:
    made = call("POST", WEBHOOKS, {"url": listener.url, **ALL}).json()

    shown = call("GET", f"{WEBHOOKS}/{made['id']}").json()
    assert len(made.pop("signing_secret")) == 64
    assert made == shown
    assert shown["signing_enabled"] is True
    assert {"events": shown["events"], "sources": shown["sources"]} == ALL


def test_the_url_is_checked_by_a_get_that_names_itself(call: Call, listener: Listener) -> None:
    call("POST", WEBHOOKS, {"url": listener.url, **ALL})

    method, headers, _ = listener.got[0]
    assert (method, headers["user-agent"]) == ("GET", "MailChimp.com WebHook Validator")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_url_that_does_not_answer_200_is_refused(
    mailchimp: StandIn, call: Call, listener: Listener, status: int
) -> None:
    listener.answers = [status]

    problem = call("POST", WEBHOOKS, {"url": listener.url, **ALL}).json()

    text = "We couldn't verify the URL is working. Please double check and try again. HTTP Code: "
    assert problem["title"] == "Invalid Resource"
    assert problem["errors"] == [{"field": "url", "message": f"{text}{status}"}]
    assert mailchimp.webhooks == []


def test_a_url_where_nobody_listens_is_refused(call: Call) -> None:
    answer = call("POST", WEBHOOKS, {"url": "http://127.0.0.1:1/", **ALL})

    assert answer.status_code == 400


def test_the_same_url_twice_is_refused(call: Call, listener: Listener) -> None:
    call("POST", WEBHOOKS, {"url": listener.url, **ALL})

    problem = call("POST", WEBHOOKS, {"url": listener.url, **ALL}).json()

    text = "Sorry, you can't set up multiple WebHooks for one URL on the same list."
    assert problem["status"] == 400
    assert problem["errors"] == [{"field": "url", "message": text}]


def test_what_is_not_asked_for_is_off(call: Call, listener: Listener) -> None:
    made = call("POST", WEBHOOKS, {"url": listener.url}).json()

    assert not any(made["events"].values())
    assert not any(made["sources"].values())


def test_a_webhook_can_be_changed(call: Call, listener: Listener) -> None:
    made = call("POST", WEBHOOKS, {"url": listener.url, **ALL}).json()

    changed = call("PATCH", f"{WEBHOOKS}/{made['id']}", {"sources": {"api": True}}).json()

    assert changed["sources"] == {"user": True, "admin": True, "api": True}
    assert "signing_secret" not in changed


def test_a_changed_url_is_checked_too(call: Call, listener: Listener) -> None:
    made = call("POST", WEBHOOKS, {"url": listener.url, **ALL}).json()

    answer = call("PATCH", f"{WEBHOOKS}/{made['id']}", {"url": "http://127.0.0.1:1/"})

    assert answer.status_code == 400


def test_a_deleted_webhook_is_gone(call: Call, listener: Listener) -> None:
    made = call("POST", WEBHOOKS, {"url": listener.url, **ALL}).json()

    deleted = call("DELETE", f"{WEBHOOKS}/{made['id']}")

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert call("GET", f"{WEBHOOKS}/{made['id']}").status_code == 404
    assert call("GET", WEBHOOKS).json()["total_items"] == 0
