"""A plain HTTP client for the stand-in, and a webhook for it to call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from sandbox.mailchimp import StandIn

Call = Callable[..., requests.Response]


@pytest.fixture
def call(mailchimp: StandIn) -> Iterator[Call]:
    """Call the API: call(method, path, body=None, **what_requests_takes)."""
    with requests.Session() as session:
        session.trust_env = False
        session.auth = ("user", mailchimp.api_key)

        def send(method: str, path: str, body: object = None, **more: object) -> requests.Response:
            options = {"timeout": 5, "json": body, **more}
            return session.request(method, mailchimp.api_url + path, **options)  # type: ignore[arg-type]  # whatever a test needs

        yield send


@dataclass
class Listener:
    """Somebody's webhook: what it answers (the last answer again and again), and what it got."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [204])
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A webhook that answers 200 to GET and 204 to POST, unless scripted otherwise."""
    heard = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            heard.got.append((self.command, headers, body))
            status = heard.answers.pop(0) if len(heard.answers) > 1 else heard.answers[0]
            self.send_response(200 if self.command == "GET" and status == 204 else status)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the name http.server looks for

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_port}/webhooks/mailchimp/secret"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield heard
    server.shutdown()
    thread.join()
    server.server_close()
