"""StandIn: the stand-in Mailchimp of the tests and of `make run`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sandbox.mailchimp import problems, store
from sandbox.mailchimp.answers import Answer
from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.contacts import Contact, Forgotten
from sandbox.mailchimp.events import Event
from sandbox.mailchimp.hooks import Webhook, WebhookCall
from sandbox.mailchimp.http import Outcome, Server
from sandbox.mailchimp.outside import Outside
from sandbox.mailchimp.request import BASE_PATH, Request
from sandbox.mailchimp.routes import Api
from sandbox.mailchimp.script import Call, Match, Script
from sandbox.running import Running


class StandIn(Outside, Running):
    """Mailchimp's Marketing API on loopback, with one audience; as a context manager it is started.

    `file` keeps the audience between runs. What people do themselves is in Outside.
    """

    def __init__(
        self,
        api_key: str = "0123456789abcdef0123456789abcdef-us1",
        list_id: str = "a1b2c3d4e5",
        latency: float = 0.0,
        file: Path | None = None,
    ) -> None:
        self.api_key = api_key
        self.list_id = list_id
        self.latency = latency  #: seconds before each answer
        self.calls: list[Call] = []
        self.audience = Audience(list_id)
        self._api = Api(api_key, self.audience)
        self.hooks = self._api.hooks
        self._script = Script()
        self._changed = threading.Condition(threading.RLock())
        self._server: Server | None = None
        self._file = file
        if file is not None:
            store.load(file, self.audience)

    def start(self, port: int = 0) -> None:
        """Listen; port 0 takes a free one. Raise OSError if the port is taken."""
        self.hooks.stopping.clear()
        self._server = Server(port, self)

    def stop(self) -> None:
        """Release every withheld answer and end every connection."""
        self.hooks.stopping.set()
        self._script.release()
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def api_url(self) -> str:
        """The value for MAILCHIMP_API_URL."""
        if self._server is None:
            raise RuntimeError("the stand-in is not started")
        return f"http://127.0.0.1:{self._server.server_port}{BASE_PATH}"

    @property
    def contacts(self) -> dict[str, Contact]:
        """All contacts, archived ones included, by lower-cased address."""
        return self.audience.contacts

    @property
    def forgotten(self) -> Forgotten:
        """The permanently deleted addresses."""
        return self.audience.forgotten

    @property
    def in_compliance(self) -> set[str]:
        """The lower-cased addresses that unsubscribed themselves, bounced or complained."""
        return self.audience.in_compliance

    @property
    def webhooks(self) -> list[Webhook]:
        """The webhooks registered through the API."""
        return self.hooks.registered

    @property
    def webhook_calls(self) -> list[WebhookCall]:
        """Every call of a webhook."""
        return self.hooks.calls

    @property
    def webhook_url(self) -> str | None:
        """The URL of a webhook without registration, for everything but API calls; None: there is none."""
        return self.hooks.own.url if self.hooks.own.enabled else None

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.hooks.own = Webhook(url or "", signing_secret=self.signing_secret, enabled=bool(url))

    @property
    def signing_secret(self) -> str | None:
        """The secret that signs calls of `webhook_url`; None: they are not signed."""
        return self.hooks.own.signing_secret

    @signing_secret.setter
    def signing_secret(self, secret: str | None) -> None:
        self.hooks.own.signing_secret = secret

    def answer_next(self, answer: Answer, times: int = 1, match: Match | None = None) -> None:
        """Script the answer to the next calls (that match)."""
        with self._changed:
            self._script.add(answer, times, match)

    def answer_normally(self) -> None:
        """Drop all scripted answers, and release the withheld ones."""
        with self._changed:
            self._script.clear()

    def refuse_key(self) -> None:
        """Answer 401 to everything."""
        self._api.takes_key = False

    def accept_key(self) -> None:
        self._api.takes_key = True

    def lose_list(self) -> None:
        """Answer 404 to everything about the audience."""
        self._api.has_list = False

    def find_list(self) -> None:
        self._api.has_list = True

    def wait_for(self, predicate: Callable[[], object], timeout: float = 300.0) -> bool:
        """Wait until a predicate, checked after each call, holds; raise TimeoutError (seconds)."""
        with self._changed:
            if not self._changed.wait_for(predicate, timeout):
                raise TimeoutError(f"not so within {timeout} s, after {len(self.calls)} calls")
        return True

    def handle(self, request: Request, *, is_crowded: bool) -> Outcome:
        """Answer a call, as scripted if so. For the server, on its threads."""
        call = Call(
            request.method, request.path, request.body_if_any(), _now(), dict(request.query)
        )
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()
            scripted = None if is_crowded else self._script.take(call)
        self.hooks.stopping.wait(self.latency)
        answer, events = self._answer(request, scripted, is_crowded=is_crowded)
        if scripted is not None and scripted.until is not None:
            scripted.until.wait()
        is_dropped = scripted is not None and scripted.drops
        with self._changed:
            call.status = None if is_dropped else answer.status
            self._changed.notify_all()
        return Outcome(None if is_dropped else answer, events)

    def report(self, events: list[Event]) -> None:
        """Call the webhooks that report API calls. For the server, on its threads."""
        self._call_webhooks("api", events)

    def _answer(
        self, request: Request, scripted: Answer | None, *, is_crowded: bool
    ) -> tuple[Answer, list[Event]]:
        if is_crowded:
            return problems.too_many_connections(), []
        if scripted is not None and not (scripted.carries_out or scripted.masks):
            return scripted, []
        answer, events = self._change(lambda _: self._api.answer(request))
        return (scripted if scripted is not None and scripted.masks else answer), events


def _now() -> datetime:
    return datetime.now(UTC)
