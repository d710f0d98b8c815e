"""`newsletter webhook install`, against a Mailchimp that calls the URL before it takes it."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from flask import Flask

from newsletter.app import create_app, create_core
from newsletter.cli import application, main
from newsletter.config import Settings, load
from newsletter.storage.models import db
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import (
    CARRIED_OUT_BUT_DROPPED,
    Answer,
    ok,
    problem,
    throttled,
)
from sandbox.mailchimp.hooks import Webhook
from tests.cli.check.conftest import HOST, Web
from tests.conftest import Join, on_sqlite
from tests.people import ADA, WEBHOOK_SECRET, access
from tests.worker.certificates import self_signed, server_side

EVENTS = {
    **dict.fromkeys(("subscribe", "unsubscribe", "profile", "cleaned", "upemail"), True),
    "campaign": False,
}
SOURCES = {"user": True, "admin": True, "api": False}
PATH = f"/webhooks/mailchimp/{WEBHOOK_SECRET}"
OTHER_SECRET = "another-hook-secret-1a2b3c"
NOWHERE = "127.0.0.1:9"

pytestmark = on_sqlite


@dataclass
class Service:
    """A deployed service's web process, and the command run beside it."""

    web: Web
    mailchimp: StandIn
    environ: dict[str, Any]
    apps: list[Flask] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.web.url}{PATH}"

    def install(self, **variables: str) -> Result:
        return CliRunner().invoke(main, ["webhook", "install"], env={**self.environ, **variables})

    def serve(self, **variables: str) -> Flask:
        """An application with the same settings, and others."""
        self.apps.append(create_app(load({**self.environ, **variables})))
        return self.apps[-1]

    def writes(self) -> list[str]:
        """What was changed at Mailchimp."""
        return [call.method for call in self.mailchimp.calls if call.method != "GET"]


@pytest.fixture
def service(
    environ: dict[str, Any], mailchimp: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    certificate = self_signed(tmp_path, x509.IPAddress(ipaddress.ip_address(HOST)))
    mailchimp.hooks.certificates = certificate
    web = Web(server_side(certificate))
    # The web process's log would stand among what the command says.
    quiet = {"PUBLIC_URL": web.url, "LOG_LEVEL": "WARNING"}
    service = Service(web, mailchimp, environ | quiet)

    def create(settings: Settings) -> Flask:
        service.apps.append(create_core(settings))
        return service.apps[-1]

    # A command's connections end with its process, which here goes on.
    monkeypatch.setattr(application, "create_core", create)
    with web.serving(service.serve()):
        yield service
    for app in service.apps:
        with app.app_context():
            db.engine.dispose()


def keeps_secrets(result: Result, caplog: pytest.LogCaptureFixture) -> bool:
    """Neither the key nor the URL's secret, this one's or another's, is shown or logged."""
    told = result.output + caplog.text
    return not any(one in told for one in (WEBHOOK_SECRET, OTHER_SECRET, "0123456789abcdef-us1"))


def test_the_webhook_is_registered_with_every_event_and_source_said(service: Service) -> None:
    result = service.install()

    [hook] = service.mailchimp.webhooks
    assert (result.exit_code, result.stderr) == (0, "")
    assert (hook.url, hook.events, hook.sources) == (service.url, EVENTS, SOURCES)


def test_the_signing_secret_is_shown_once_with_what_to_do_with_it(service: Service) -> None:
    first, second = service.install(), service.install()

    [hook] = service.mailchimp.webhooks
    said, what_to_do, secret = first.stdout.splitlines()
    assert said == "The webhook is registered."
    assert what_to_do.startswith("Set MAILCHIMP_SIGNING_SECRET for `web` to this")
    assert secret == hook.signing_secret
    assert secret not in second.stdout


def test_no_secret_is_logged_and_the_signing_secret_alone_is_shown(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    result = service.install(LOG_LEVEL="DEBUG")

    [hook] = service.mailchimp.webhooks
    assert "GET /webhooks/mailchimp/<secret> 200" in caplog.text
    assert hook.signing_secret
    assert hook.signing_secret not in caplog.text
    assert keeps_secrets(result, caplog)


def test_the_installed_webhook_blocks_here_whoever_unsubscribes_there(
    service: Service, join: Join, mailchimp: StandIn
) -> None:
    join(ADA)
    secret = service.install().stdout.splitlines()[-1]
    signing = service.serve(MAILCHIMP_SIGNING_SECRET=secret)
    service.web.show(signing)

    calls = mailchimp.unsubscribes(ADA)

    assert [call.status for call in calls] == [204]
    assert access(signing.test_client(), ADA)["reason"] == "unsubscribed"


def test_an_existing_webhook_is_not_registered_twice(service: Service) -> None:
    service.install()

    result = service.install()

    assert result.exit_code == 0
    assert service.writes() == ["POST"]
    assert result.stdout.startswith("The webhook is registered already.\nIts calls are signed, ")
    assert "delete the webhook in the audience's settings, and install it anew." in result.stdout


@pytest.mark.parametrize("way", [str.upper, lambda url: f"{url}/"])
def test_the_same_url_written_otherwise_is_the_same(
    service: Service, way: Callable[[str], str]
) -> None:
    base = service.url.removesuffix(PATH)
    service.mailchimp.webhooks.append(Webhook(way(base).rstrip("/") + PATH, EVENTS, SOURCES))

    assert service.install().exit_code == 0
    assert service.writes() == []


@pytest.mark.parametrize(
    ("events", "sources"),
    [
        ({"unsubscribe": False}, {}),
        ({"campaign": True}, {}),
        ({}, {"api": True}),
        ({"cleaned": False, "upemail": False}, {"user": False, "admin": False}),
    ],
)
def test_a_webhook_with_other_events_is_corrected(
    service: Service, events: dict[str, bool], sources: dict[str, bool]
) -> None:
    hook = Webhook(service.url, EVENTS | events, SOURCES | sources)
    service.mailchimp.webhooks.append(hook)

    result = service.install()

    assert result.exit_code == 0
    assert service.writes() == ["PATCH"]
    assert (hook.events, hook.sources) == (EVENTS, SOURCES)
    assert result.stdout.splitlines()[0] == (
        "The webhook was registered already; its events and sources are corrected."
    )
    assert "Its calls are not signed: to have them signed, delete" in result.stdout


def test_a_change_without_effect_is_reported(service: Service) -> None:
    hook = Webhook(service.url, EVENTS, {**SOURCES, "api": True})
    service.mailchimp.webhooks.append(hook)
    as_it_was = ok(hook.as_json(service.mailchimp.list_id))
    service.mailchimp.answer_next(as_it_was, match=lambda call: call.method == "PATCH")

    result = service.install()

    assert (result.exit_code, result.stdout) == (1, "")
    assert "its webhook is as it was, though Mailchimp took the change" in result.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"https://old.example.com{PATH}", "another URL (old.example.com) with this secret"),
        (
            f"https://old.example.com/webhooks/mailchimp/{OTHER_SECRET}",
            "another URL (old.example.com) with another secret",
        ),
        (f"https://user:{OTHER_SECRET}@old.example.com{PATH}", "another URL (old.example.com)"),
    ],
)
def test_an_earlier_webhook_is_named_and_not_changed(
    service: Service, caplog: pytest.LogCaptureFixture, url: str, said: str
) -> None:
    service.mailchimp.webhooks.append(Webhook(url))

    result = service.install()

    assert result.exit_code == 0
    assert f"Another webhook calls {said}" in result.stdout
    assert "delete it in the audience's settings" in result.stdout
    assert [hook.url for hook in service.mailchimp.webhooks] == [url, service.url]
    assert keeps_secrets(result, caplog)


def test_an_earlier_secret_at_the_same_url_is_named(service: Service) -> None:
    earlier = f"{service.web.url}/webhooks/mailchimp/{OTHER_SECRET}"
    service.mailchimp.webhooks.append(Webhook(earlier))

    result = service.install()

    assert "Another webhook calls this PUBLIC_URL with another secret" in result.stdout
    assert OTHER_SECRET not in result.output


def test_a_webhook_of_another_program_is_not_mentioned(service: Service) -> None:
    service.mailchimp.webhooks.append(Webhook("https://shop.example.com/mailchimp"))

    assert "Another" not in service.install().stdout
    assert len(service.mailchimp.webhooks) == 2


def test_the_second_of_two_processes_finds_the_webhook_of_the_first(service: Service) -> None:
    service.install()
    nothing_yet = ok({"webhooks": [], "total_items": 0})
    service.mailchimp.answer_next(nothing_yet, match=lambda call: call.method == "GET")

    result = service.install()

    assert result.exit_code == 0
    assert result.stdout.startswith("The webhook is registered already.")
    assert len(service.mailchimp.webhooks) == 1


def test_a_url_that_mailchimp_cannot_call_is_refused(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.web.show(service.serve(MAILCHIMP_WEBHOOK_SECRET=OTHER_SECRET))

    result = service.install()

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: PUBLIC_URL: Mailchimp registers a webhook only once")
    assert "see that `web` runs with this MAILCHIMP_WEBHOOK_SECRET" in result.stderr
    assert service.mailchimp.webhooks == []
    assert keeps_secrets(result, caplog)


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({"MAILCHIMP_WEBHOOK_SECRET": ""}, ["MAILCHIMP_WEBHOOK_SECRET"]),
        ({"MAILCHIMP_API_KEY": ""}, ["MAILCHIMP_API_KEY"]),
        ({"MAILCHIMP_API_KEY": "", "MAILCHIMP_LIST_ID": ""}, ["MAILCHIMP_API_KEY"]),
        ({"PUBLIC_URL": "http://localhost:8000"}, ["PUBLIC_URL"]),
        ({"PUBLIC_URL": "https://127.0.0.1"}, ["PUBLIC_URL"]),
        (
            {"MAILCHIMP_API_KEY": "", "MAILCHIMP_WEBHOOK_SECRET": "", "PUBLIC_URL": ""},
            ["MAILCHIMP_API_KEY", "MAILCHIMP_WEBHOOK_SECRET", "PUBLIC_URL"],
        ),
    ],
)
def test_all_missing_settings_are_named_at_once_without_a_call(
    service: Service, variables: dict[str, str], names: list[str]
) -> None:
    result = service.install(**variables)

    lines = result.stderr.removeprefix("Error: ").splitlines()
    assert (result.exit_code, result.stdout) == (1, "")
    assert [line.partition(":")[0] for line in lines] == names
    assert service.mailchimp.calls == []


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"PUBLIC_URL": "http://newsletter.example.com"}, "PUBLIC_URL"),
        ({"MAILCHIMP_LIST_ID": ""}, "MAILCHIMP_LIST_ID"),
    ],
)
def test_settings_that_stop_every_process_stop_this_one(
    service: Service, variables: dict[str, str], name: str
) -> None:
    result = service.install(**variables)

    assert result.exit_code == 2
    assert f"\n{name}: " in result.stderr


@pytest.mark.parametrize(
    ("answer", "name", "said"),
    [
        (
            problem(401, "API Key Invalid", "Your API key may be invalid"),
            "MAILCHIMP_API_KEY",
            "refuses it",
        ),
        (problem(403, "Forbidden", "No."), "MAILCHIMP_API_KEY", "forbids what it asks for"),
        (problem(404, "Resource Not Found", "No."), "MAILCHIMP_LIST_ID", "knows no such audience"),
        (throttled(), "Mailchimp", "is in trouble itself (throttled); run it again later"),
        (Answer(502, "text/html", b"<h1>502</h1>"), "Mailchimp", "is in trouble itself (http 502)"),
        (
            Answer(200, "text/html", b"<h1>Hi</h1>"),
            "MAILCHIMP_API_URL",
            "something else than Mailchimp",
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_mailchimps_refusal_is_explained(
    service: Service, answer: Answer, method: str, name: str, said: str
) -> None:
    service.mailchimp.answer_next(answer, match=lambda call: call.method == method)

    result = service.install()

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {name}: ")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unreachable_mailchimp_is_reported(service: Service) -> None:
    result = service.install(MAILCHIMP_API_URL=f"http://{NOWHERE}/3.0")

    assert result.exit_code == 1
    assert "Mailchimp does not answer as it should (network)" in result.stderr


def test_a_call_whose_answer_is_lost_is_not_taken_for_done(service: Service) -> None:
    service.mailchimp.answer_next(CARRIED_OUT_BUT_DROPPED, match=lambda call: call.method == "POST")

    result, again = service.install(), service.install()

    assert result.exit_code == 1
    assert "It may have been done all the same: `newsletter check` tells." in result.stderr
    assert again.stdout.startswith("The webhook is registered already.")
    assert len(service.mailchimp.webhooks) == 1


def test_a_mailchimp_that_signs_nothing_shows_no_secret(service: Service) -> None:
    unsigned = ok(Webhook(service.url, EVENTS, SOURCES).as_json(service.mailchimp.list_id))
    service.mailchimp.answer_next(unsigned, match=lambda call: call.method == "POST")

    result = service.install()

    assert result.stdout == "The webhook is registered.\n"
